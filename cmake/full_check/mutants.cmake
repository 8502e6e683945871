# How the library is built to be mutated (CMAKE_PROJECT_packseq_INCLUDE): a mutant costs one file and one link. Tests
# reach into the library, so everything in it is visible; the tests themselves are compiled once, and not optimized.
cmake_language(DEFER CALL set_target_properties packseq packseq_kernels PROPERTIES
  UNITY_BUILD OFF CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF)
cmake_language(DEFER CALL set_source_files_properties src/kernels/passes.cpp src/kernels/add_rows.cpp
  src/kernels/crf.cpp src/kernels/softmax.cpp TARGET_DIRECTORY packseq_kernels PROPERTIES
  COMPILE_OPTIONS "-ffp-contract=off")
cmake_language(DEFER CALL target_compile_options packseq PRIVATE -O1)
cmake_language(DEFER CALL target_compile_options packseq_kernels PRIVATE -O1)
