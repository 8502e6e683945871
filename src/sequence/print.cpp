#include "packseq/sequence/print.hpp"

#include <c10/util/Exception.h>

#include "sequence/picture.hpp"

namespace packseq {

void print(std::ostream& stream, const PackedSequence& packed, const PrintOptions& options) {
  TORCH_CHECK_VALUE(options.columns >= 40, "print: columns is ", options.columns, ", and must be at least 40");
  TORCH_CHECK_VALUE(options.documents >= 1, "print: documents is ", options.documents, ", and must be at least 1");
  stream << detail::PackedPicture(packed, options).draw();
}

}  // namespace packseq
