# `cmake --build build --target packseq_docs` makes build/docs/html/index.html of the public headers' comments, and
# fails where one is missing or wrong. Only where there is Doxygen.
find_package(Doxygen 1.9 QUIET)
if(NOT DOXYGEN_FOUND)
  return()
endif()

set(DOXYGEN_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/docs")
set(DOXYGEN_STRIP_FROM_INC_PATH "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include")
set(DOXYGEN_FILE_PATTERNS "*.hpp")
set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
set(DOXYGEN_SHOW_USED_FILES NO)
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_QUIET YES)
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
set(DOXYGEN_EXCLUDE_PATTERNS "*/detail/*")
set(DOXYGEN_EXCLUDE_SYMBOLS "*::detail")
# Macros that would be taken for declarations.
set(DOXYGEN_MACRO_EXPANSION YES)
set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
set(DOXYGEN_PREDEFINED
  "PACKSEQ_EXPORT="
  "FORWARD_HAS_DEFAULT_ARGS(...)="
  "TORCH_MODULE(Name)=using Name = torch::nn::ModuleHolder<Name##Impl>")

doxygen_add_docs(packseq_docs
  "${PROJECT_SOURCE_DIR}/include/packseq" "${PROJECT_BINARY_DIR}/include/packseq/version.hpp"
  COMMENT "Making the reference documentation")
