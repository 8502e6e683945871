# Looks for Google Highway and makes the target packseq::highway. Part of the build and of the installed package alike:
# Highway's own package file differs too much from one distribution to the next.
set(PACKSEQ_HIGHWAY_NOT_FOUND "packseq needs Google Highway and did not find it: install libhwy-dev (apt), highway \
(brew, vcpkg) or libhwy (conda), or set CMAKE_PREFIX_PATH")

find_path(PACKSEQ_HIGHWAY_INCLUDE_DIR hwy/highway.h)
find_library(PACKSEQ_HIGHWAY_LIBRARY hwy)
mark_as_advanced(PACKSEQ_HIGHWAY_INCLUDE_DIR PACKSEQ_HIGHWAY_LIBRARY)
if(PACKSEQ_HIGHWAY_INCLUDE_DIR AND PACKSEQ_HIGHWAY_LIBRARY AND NOT TARGET packseq::highway)
  add_library(packseq::highway UNKNOWN IMPORTED GLOBAL)
  set_target_properties(packseq::highway PROPERTIES
    IMPORTED_LOCATION "${PACKSEQ_HIGHWAY_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${PACKSEQ_HIGHWAY_INCLUDE_DIR}"
    # One target of SSE is enough between scalar code and AVX2, and one of AVX-512: newer Highways have more, with lower
    # numbers (AVX3_ZEN4, AVX3_SPR and others), whose results are the same to the bit, and take as long. The vectors of
    # SVE and RVV are types without a size, so that there are no arrays of them, and the kernels keep their sums in
    # arrays of vectors. Compilers have such arrays only in a file that is all for vectors of one length
    # (-msve-vector-bits), and Highway's targets share one.
    INTERFACE_COMPILE_DEFINITIONS "HWY_SHARED_DEFINE;HWY_DISABLED_TARGETS=((HWY_AVX3-1)|HWY_SSSE3|HWY_SVE|HWY_SVE2|\
HWY_SVE_256|HWY_SVE2_128|HWY_RVV)")
endif()
