# What LibTorch's own package needs help with. Above all, one that is built for CUDA, as pip's is on Linux, ends every
# configure without CUDA's toolkit, with an error that cannot be caught. Part of the build and of the installed package
# alike.

# packseq_torch_dir(result): the folder of the package that find_package(Torch) would run.
function(packseq_torch_dir result)
  set(given "$CACHE{Torch_DIR}")
  find_package(Torch 9999 QUIET CONFIG)  # too high for any, so that CMake tells what it would consider and runs none
  if(given)
    set(Torch_DIR "${given}" CACHE PATH "The directory containing a CMake configuration file for Torch." FORCE)
  else()
    unset(Torch_DIR CACHE)
  endif()
  foreach(config version IN ZIP_LISTS Torch_CONSIDERED_CONFIGS Torch_CONSIDERED_VERSIONS)
    if(version VERSION_GREATER_EQUAL PACKSEQ_TORCH_MINIMUM)
      get_filename_component(directory "${config}" DIRECTORY)
      set(${result} "${directory}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# packseq_keep_caffe2(torch_dir): the package is in two halves, and CMake would take the other from the last LibTorch,
# or from one of CMAKE_PREFIX_PATH.
function(packseq_keep_caffe2 torch_dir)
  get_filename_component(caffe2 "${torch_dir}/../Caffe2" ABSOLUTE)
  if(torch_dir AND EXISTS "${caffe2}/Caffe2Config.cmake")
    set(Caffe2_DIR "${caffe2}" CACHE PATH "The directory containing a CMake configuration file for Caffe2." FORCE)
  endif()
endfunction()

# packseq_try_torch(torch_dir result): whether its package works here, toolkit and all. Another CMake tries it, since an
# error would end this one.
function(packseq_try_torch torch_dir result)
  set(trial "${CMAKE_BINARY_DIR}/CMakeFiles/packseq_torch_trial")
  file(REMOVE_RECURSE "${trial}")
  file(WRITE "${trial}/main.cpp" "int main() {}\n")
  file(WRITE "${trial}/CMakeLists.txt" "cmake_minimum_required(VERSION 3.21)\nproject(trial LANGUAGES CXX)\n"
    "find_package(Torch REQUIRED)\nadd_executable(trial main.cpp)\ntarget_link_libraries(trial PRIVATE torch)\n")
  set(arguments "-DTorch_DIR=${torch_dir}" "-DCaffe2_DIR=${Caffe2_DIR}")
  foreach(variable CMAKE_TOOLCHAIN_FILE CMAKE_MAKE_PROGRAM CMAKE_CXX_COMPILER CMAKE_CUDA_COMPILER CUDAToolkit_ROOT
                   CUDA_TOOLKIT_ROOT_DIR)
    if(${variable})
      list(APPEND arguments "-D${variable}=${${variable}}")
    endif()
  endforeach()
  execute_process(COMMAND "${CMAKE_COMMAND}" -G "${CMAKE_GENERATOR}" -S "${trial}" -B "${trial}/build" ${arguments}
                  RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    set(${result} FALSE PARENT_SCOPE)
  else()
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()

# packseq_leave_cuda_out(torch_dir): sets PACKSEQ_TORCH_CPU_ONLY if that LibTorch can only be used for its libraries for
# the CPU, which are all that packseq needs. Then its package is spared the search for CUDA, which it leaves out where
# it finds this target.
function(packseq_leave_cuda_out torch_dir)
  if(NOT EXISTS "${torch_dir}/../../../lib/libtorch_cuda.so" OR TARGET torch::cudart)
    return()
  endif()
  packseq_try_torch("${torch_dir}" works)
  if(NOT works)
    add_library(torch::cudart INTERFACE IMPORTED)
    set(PACKSEQ_TORCH_CPU_ONLY TRUE PARENT_SCOPE)
  endif()
endfunction()

# Takes CUDA's libraries from the target `torch`: libtorch.so loads them all, libtorch_cpu.so none of LibTorch's.
function(packseq_link_torch_cpu)
  set_target_properties(torch PROPERTIES
    IMPORTED_LOCATION_RELEASE "${TORCH_INSTALL_PREFIX}/lib/libtorch_cpu.so"
    IMPORTED_SONAME_RELEASE libtorch_cpu.so
    INTERFACE_LINK_LIBRARIES torch_cpu_library)
endfunction()
