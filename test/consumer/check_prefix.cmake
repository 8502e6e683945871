# Looks at what is installed in PREFIX.
# What is installed can be moved: no path of this machine is in it.
get_filename_component(torch "${TORCH_DIR}/../../.." ABSOLUTE)
file(GLOB_RECURSE package_files "${PREFIX}/*.cmake" "${PREFIX}/*.hpp")
foreach(file IN LISTS package_files)
  file(READ "${file}" text)
  foreach(path "${PACKSEQ_SOURCE}" "${BUILD}" "${torch}" "${PREFIX}")
    # Neither in the middle of another one nor behind a variable.
    string(REGEX REPLACE "([][+.*()^$?|\\\\])" "\\\\\\1" literal "${path}")
    if(text MATCHES "(^|[^A-Za-z0-9_./}-])${literal}([^A-Za-z0-9_.-]|$)")
      message(FATAL_ERROR "${file} contains ${path}")
    endif()
  endforeach()
endforeach()

file(GLOB_RECURSE licence "${PREFIX}/*/LICENSE")
if(NOT licence)
  message(FATAL_ERROR "The licence is not installed")
endif()

# The program, where it is part of the build, finds its libraries.
find_program(program packseq PATHS "${PREFIX}/bin" NO_DEFAULT_PATH)
if(program)
  execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${program}" --help OUTPUT_QUIET)
endif()

# Before 1.0 another minor version is another interface.
foreach(version 0.0 0.2 9.9)
  find_package(packseq ${version} QUIET PATHS "${PREFIX}" NO_DEFAULT_PATH)
  if(packseq_FOUND OR NOT packseq_CONSIDERED_VERSIONS)
    message(FATAL_ERROR "find_package(packseq ${version}) took version ${packseq_CONSIDERED_VERSIONS}")
  endif()
endforeach()

# The component mpi is only there where it was built.
if(NOT WITH_MPI)
  find_package(packseq 0.1 QUIET COMPONENTS mpi PATHS "${PREFIX}" NO_DEFAULT_PATH)
  if(packseq_FOUND OR NOT packseq_NOT_FOUND_MESSAGE MATCHES "PACKSEQ_WITH_MPI=ON")
    message(FATAL_ERROR "Without MPI find_package(packseq COMPONENTS mpi) says: ${packseq_NOT_FOUND_MESSAGE}")
  endif()
endif()

set(CMAKE_DISABLE_FIND_PACKAGE_Torch TRUE)
find_package(packseq 0.1 QUIET PATHS "${PREFIX}" NO_DEFAULT_PATH)
if(packseq_FOUND OR NOT packseq_NOT_FOUND_MESSAGE MATCHES "set Torch_DIR")
  message(FATAL_ERROR "Without LibTorch find_package(packseq) says: ${packseq_NOT_FOUND_MESSAGE}")
endif()
