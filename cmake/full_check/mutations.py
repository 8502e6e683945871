"""Which small faults there are to put into C++ sources of this format, and in which order they are tried."""
import random
import re

# What is never mutated: comments, strings and characters, the preprocessor's lines, assertions of the compiler.
LEFT_ALONE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'|^#(?:[^\n]*\\\n)*[^\n]*"
                        r"|\bstatic_assert\(.*?\);", re.S | re.M)
# Nor what only words an error: all that is thrown, and all from the first string on of what refuses.
MESSAGE = re.compile(r"\bthrow\b[^;]*|\b(?:TORCH_CHECK\w*|refuse\w*|fail|HWY_ABORT)\([^;\"]*(\"[^;]*)")

OPPOSITES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "/", "/": "*",
             "+=": "-=", "-=": "+=", "++": "--", "--": "++", "&&": "||", "||": "&&", "true": "false", "false": "true",
             "continue": "break", "break": "continue", "!": "", "min": "max", "max": "min"}
# The format puts blanks around binary operators, and none in templates. Groups: what is replaced, by OPPOSITES if it is
# there, a number by the next one, a statement by nothing.
KINDS = {
    "comparison": r"(?<= )(<=?|>=?|==|!=)(?= )",
    "arithmetic": r"(?<= )([-+*/]|[-+]=)(?= )|(\+\+|--)|(?<=std::)(min|max)\b",
    "logic": r"(?<= )(&&|\|\|)(?= )|(!)(?=[\w(])",
    "constant": r"(?<![\w.'])(\d+)(?![\w.'])",
    "boolean": r"\b(true|false)\b",
    "jump": r"\b(continue|break)(?=;)",
    "assignment": r"^ +([\w.*\[\]>-]+ = [^;\n]*;)",
    "check": r"^ +(TORCH_CHECK\w*\([^;]*;|(?:\w+::)*check\w*\([^;]*;|if \([^;\n{]*\) (?:throw|refuse|fail)\b[^;]*;)",
}


def mutable(text):
    """The text with blanks in the place of what is left alone."""
    def blank(match):
        kept = '"' if match[0][0] == '"' else ""  # tells MESSAGE where a message begins
        return kept + re.sub(r"[^\n]", " ", match[0][len(kept):])
    text = LEFT_ALONE.sub(blank, text)
    for match in MESSAGE.finditer(text):
        begin, end = match.span(1 if match[1] else 0)
        keyword = "throw" if match[0].startswith("throw") else ""  # by which a check is known
        text = text[:begin] + keyword + re.sub(r"[^\n]", " ", text[begin + len(keyword):end]) + text[end:]
    return text


def replacement(old):
    if old.isdecimal():
        return str(int(old) + 1)
    return OPPOSITES.get(old, ";")


def mutants_of(source, kind, file):
    """Every mutant of this kind in a file."""
    original = (source / file).read_text()
    for match in re.finditer(KINDS[kind], mutable(original), re.M):
        begin, end = match.span(match.lastindex)
        line = original.count("\n", 0, begin) + 1
        mutated = original[:begin] + replacement(match[match.lastindex]) + original[end:]
        yield {"file": file, "mutated": mutated, "key": f"{file}:{line}, {kind}, byte {begin}"}


def draw(source, rooms, seed):
    """All mutants, kind by kind in turn, each kind in random order: else most of them would be constants."""
    rng = random.Random(seed)
    files = sorted(str(file.relative_to(source)) for room in rooms for file in (source / "src" / room).glob("*.[ch]pp"))
    kinds = []
    for kind in KINDS:
        kinds.append([mutant for file in files for mutant in mutants_of(source, kind, file)])
        rng.shuffle(kinds[-1])
    while any(kinds):
        for kind in filter(None, kinds):
            yield kind.pop()
