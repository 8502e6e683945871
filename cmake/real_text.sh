#!/usr/bin/env bash
# Writes real English text for the tutorial programs, benchmarks and tests. See usage below.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source-path=SCRIPTDIR
source "$here/quickstart/packages.sh"

usage() {
  cat <<END
Usage: bash cmake/real_text.sh FOLDER [TEXT...]   write text files into FOLDER, each line a document, UTF-8; with no
                                                  TEXT named, the first four and kjv_tags:
    kjv        the verses of the King James Bible
    wordnet    the definitions of WordNet
    fortunes   the sayings of fortune
    manpages   the paragraphs of the Linux manual pages
    NAME_tags  a tagging task, NAME being one of these: NAME_tags.train.tsv and NAME_tags.dev.tsv, column files of its
               words, A to Z in lower case and without ASCII punctuation at either end, each with what it had: capital,
               capitals, comma, stop, colon, semicolon, question, exclamation, two of them ("capital+comma"), or none.
               What is within a word ("don't"), and what is not ASCII, stays. DEV is every tenth document

The text is taken from packages of Debian and Ubuntu, which are installed with apt where that needs no password. A file
that is there already is left as it is. Ends with 77 if a text is not to be had; the others are written.
END
}

say() {
  echo "real_text: $*" >&2
}

# one_line: each paragraph of standard input on one line, with single spaces.
one_line() {
  awk 'function flush() { if (text != "") print text; text = "" }
       NF == 0 { flush() }
       { $1 = $1; if (NF) text = text == "" ? $0 : text " " $0 }
       END { flush() }'
}

kjv_there() { command -v bible >/dev/null && [[ -f /usr/lib/bible.data ]]; }
kjv() {  # "Ge1:1 In the beginning ..."
  bible -f gen1:1-rev22:21 </dev/null | sed -E 's/^[^ ]+ //'
}

wordnet_there() { [[ -f /usr/share/wordnet/data.noun ]]; }
wordnet() {  # "00001740 03 n 01 entity 0 003 ... | that which is perceived ..."
  local part
  for part in noun verb adj adv; do
    sed -nE 's/^[0-9].* \| (.*[^ ]) *$/\1/p' "/usr/share/wordnet/data.$part" || return
  done
}

fortunes_there() { [[ -f /usr/share/games/fortunes/fortunes && -f /usr/share/games/fortunes/literature ]]; }
fortunes() {  # sayings between lines of "%"; some letters are struck over
  local file
  for file in /usr/share/games/fortunes/*; do
    [[ $file == *.* ]] || { cat "$file" && echo %; }
  done | sed -E 's/.\x08//g; /^[[:space:]]*$/d; s/^%$//' | one_line
}

manpages_there() { [[ -f /usr/share/man/man2/read.2.gz && -f /usr/share/man/man7/pipe.7.gz ]]; }
manpages() {  # roff: the words of fonts' macros belong to the text, every other macro ends a paragraph
  dpkg -L manpages manpages-dev | grep '^/usr/share/man/man.*\.gz$' | sort | xargs -r zcat | awk '
    /^[.\x27]\\"/ { next }
    /^\.(nf|EX|TS)/ { code = 1 }
    /^\.(fi|EE|TE)/ { code = 0 }
    code { print ""; next }
    /^\.(B|I|BR|IR|RB|RI|BI|IB|SM|SB) / { sub(/^\.[A-Z]+ /, ""); font = 1 }
    /^[.\x27]/ { print ""; next }
    font { gsub(/" "/, "\x01"); gsub(/ /, ""); gsub(/\x01/, " "); gsub(/"/, ""); font = 0 }
    { gsub(/\\f\[[^]]*\]|\\f[A-Z]|\\&|\\\/|\\,|\\c|\\:/, ""); gsub(/\\-/, "-") }
    { gsub(/\\\(aq/, "\x27"); gsub(/\\e/, "\\") }
    /\\[(*[]/ { next }
    { print }' | one_line | awk 'NF >= 3'
}

# tags TRAIN DEV: a tagging task of the text on standard input, see usage.
tags() {
  LC_ALL=C awk -v train="$1" -v dev="$2" '
    BEGIN {
      split(". stop , comma : colon ; semicolon ? question ! exclamation", pairs, " ")
      for (i = 1; i in pairs; i += 2) mark[pairs[i]] = pairs[i + 1]
    }
    {
      file = ++documents % 10 == 0 ? dev : train
      tokens = 0
      for (i = 1; i <= NF; ++i) {
        word = $i
        sub(/^[^0-9A-Za-z\200-\377]+/, "", word)
        had = match(word, /[^0-9A-Za-z\200-\377]+$/) ? substr(word, RSTART) : ""
        word = substr(word, 1, length(word) - length(had))
        if (word == "") continue
        had = match(had, /[.,:;?!]/) ? mark[substr(had, RSTART, 1)] : ""
        height = word !~ /^[A-Z]/ ? "" : word ~ /[A-Z].*[A-Z]/ && word !~ /[a-z]/ ? "capitals" : "capital"
        label = height had == "" ? "none" : height (height == "" || had == "" ? "" : "+") had
        print tolower(word) "\t" label >file
        ++tokens
      }
      if (tokens > 0) print "" >file
    }'
}

# write_tags FOLDER NAME: the tagging task of a text that is written.
write_tags() {
  local train=$1/$2_tags.train.tsv dev=$1/$2_tags.dev.tsv
  [[ ! -s $train || ! -s $dev ]] || return 0
  if ! tags "$train.part" "$dev.part" <"$1/$2.txt"; then
    rm -f "$train.part" "$dev.part"
    say "no $2_tags: see the error above"
    return 1
  fi
  mv "$dev.part" "$dev" && mv "$train.part" "$train" || return
  say "$train and $dev: $(grep -c . "$train") and $(grep -c . "$dev") words"
}

# write FOLDER NAME PACKAGE...: one text; fails, and says why, if it is not to be had.
write() {
  local file=$1/$2.txt name=$2
  shift 2
  [[ ! -s $file ]] || return 0
  if ! "${name}_there" && can_use_apt; then
    say "installing $* with apt"
    apt_install "$@" >&2 || say "apt failed, see above"
  fi
  if ! "${name}_there"; then
    say "no $name.txt: the files of $* are not on this machine"
    say "to go on: sudo apt-get install --reinstall $*, and run this again"
    [[ $name != manpages ]] || say "if dpkg leaves manual pages out, first remove path-exclude in /etc/dpkg/dpkg.cfg.d"
    return 1
  fi
  if ! "$name" | iconv -c -f UTF-8 -t UTF-8 >"$file.part"; then
    rm "$file.part"
    say "no $name.txt: see the error above"
    return 1
  fi
  mv "$file.part" "$file" || return
  say "$file: $(wc -l <"$file") documents, $(wc -w <"$file") words"
}

main() {
  local folder=$1 text name packages result=0
  shift
  mkdir -p "$folder"
  (($#)) || set -- kjv wordnet fortunes manpages kjv_tags
  for text in "$@"; do
    name=${text%_tags}
    case $name in
      kjv) packages=(bible-kjv bible-kjv-text) ;;
      wordnet) packages=(wordnet-base) ;;
      fortunes) packages=(fortunes fortunes-min) ;;
      manpages) packages=(manpages manpages-dev) ;;
      *) say "there is no text $text" && usage && return 1 ;;
    esac
    if ! write "$folder" "$name" "${packages[@]}"; then
      result=77
    elif [[ $text == *_tags ]]; then
      write_tags "$folder" "$name" || result=77
    fi
  done
  return "$result"
}

if [[ ${1:--} == -* ]]; then
  usage
  [[ ${1:-} == --help || ${1:-} == -h ]] || exit 1
else
  main "$@"
fi
