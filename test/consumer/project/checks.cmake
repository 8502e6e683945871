# packseq leaves the project that uses it as it was.
function(expect_empty what)
  if(NOT ARGN STREQUAL "")
    message(FATAL_ERROR "packseq leaves ${what} behind: ${ARGN}")
  endif()
endfunction()

# targets_below(directory result): every target that is built there.
function(targets_below directory result)
  get_property(targets DIRECTORY "${directory}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(subdirectories DIRECTORY "${directory}" PROPERTY SUBDIRECTORIES)
  foreach(subdirectory IN LISTS subdirectories)
    targets_below("${subdirectory}" more)
    list(APPEND targets ${more})
  endforeach()
  set(${result} "${targets}" PARENT_SCOPE)
endfunction()

get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
expect_empty("compile options" ${options})
expect_empty("a build type" ${CMAKE_BUILD_TYPE})
expect_empty("a compiler launcher" ${CMAKE_CXX_COMPILER_LAUNCHER})
expect_empty("an install RPATH" ${CMAKE_INSTALL_RPATH})
expect_empty("a message level" ${CMAKE_MESSAGE_LOG_LEVEL})

get_property(options TARGET packseq::packseq PROPERTY INTERFACE_COMPILE_OPTIONS)
expect_empty("compile options for whoever links it" ${options})

# Its library, and no program, test or benchmark.
targets_below("${CMAKE_CURRENT_SOURCE_DIR}" targets)
list(REMOVE_ITEM targets consumer mpi_consumer packseq packseq_kernels packseq_mpi dummy)  # "dummy" is LibTorch's
expect_empty("targets" ${targets})

set(expected_type STATIC_LIBRARY)
if(BUILD_SHARED_LIBS)
  set(expected_type SHARED_LIBRARY)
endif()
get_property(type TARGET packseq::packseq PROPERTY TYPE)
if(NOT type STREQUAL expected_type)
  message(FATAL_ERROR "packseq is a ${type}, not a ${expected_type}")
endif()
