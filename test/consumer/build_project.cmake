# Configures, builds and runs project/ in BUILD, with packseq from FROM.
cmake_minimum_required(VERSION 3.21)

# Only what is said below decides what is found.
foreach(variable CMAKE_CXX_COMPILER_LAUNCHER CMAKE_PREFIX_PATH Torch_DIR Torch_ROOT packseq_DIR packseq_ROOT)
  unset(ENV{${variable}})
endforeach()
file(REMOVE "${BUILD}/CMakeCache.txt")

# LibTorch is found by either of the two usual variables.
if(SHARED)
  get_filename_component(prefix "${TORCH_DIR}/.." ABSOLUTE)
  set(torch "-DCMAKE_PREFIX_PATH=${prefix}")
else()
  set(torch "-DTorch_DIR=${TORCH_DIR}")
endif()
if(FROM STREQUAL "find_package")
  set(packseq "-Dpackseq_ROOT=${PREFIX}")
else()
  set(packseq "-DPACKSEQ_SOURCE=${PACKSEQ_SOURCE}" -DPACKSEQ_INSTALL=ON)
endif()

execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}"
  -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${BUILD}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
  -DBUILD_SHARED_LIBS=${SHARED} -DPACKSEQ_FROM=${FROM} -DPACKSEQ_WITH_MPI=${WITH_MPI} "${torch}" ${packseq}
  ERROR_VARIABLE warnings ECHO_ERROR_VARIABLE)
if(NOT warnings STREQUAL "")
  message(FATAL_ERROR "CMake had something to say.")
endif()

execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${CMAKE_COMMAND}" --build "${BUILD}")
execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${BUILD}/consumer" OUTPUT_VARIABLE printed)
if(NOT printed STREQUAL "[6, 5] [1, 3, 5]\n")
  message(FATAL_ERROR "The program printed ${printed}")
endif()
if(WITH_MPI)
  execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${BUILD}/mpi_consumer" OUTPUT_VARIABLE printed)
  if(NOT printed STREQUAL "rank 0 of 1, mean loss 2\n")
    message(FATAL_ERROR "The program over MPI printed ${printed}")
  endif()
endif()
