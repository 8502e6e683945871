#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace packseq::bench {

/// Documents of about so many bytes in all that look like English to a tokenizer and a vocabulary: 50,000 different
/// pronounceable words, the short ones frequent, used as Zipf's law says (the frequency of the word of rank r is
/// proportional to 1 / (r + 2.7), Mandelbrot's form); sentences with capitals, commas and full stops. The same at every
/// call.
std::vector<std::string> english_like_documents(std::size_t bytes);

}  // namespace packseq::bench
