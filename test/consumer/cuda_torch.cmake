# Makes CUDA_TORCH, a LibTorch built for CUDA without its toolkit as far as CMake and the linker can tell, of the one at
# hand: its package ends with the error of pip's, and nothing can be linked to the libraries that would load CUDA's.
cmake_minimum_required(VERSION 3.21)

get_filename_component(torch "${TORCH_DIR}/../../.." ABSOLUTE)
file(REMOVE_RECURSE "${CUDA_TORCH}")
file(MAKE_DIRECTORY "${CUDA_TORCH}/lib")
file(GLOB libraries "${torch}/lib/*.so*")
foreach(library IN LISTS libraries)
  get_filename_component(name "${library}" NAME)
  file(CREATE_LINK "${library}" "${CUDA_TORCH}/lib/${name}" SYMBOLIC)
endforeach()
file(CREATE_LINK "${torch}/include" "${CUDA_TORCH}/include" SYMBOLIC)
foreach(library libtorch.so libtorch_cuda.so)
  file(REMOVE "${CUDA_TORCH}/lib/${library}")
  file(TOUCH "${CUDA_TORCH}/lib/${library}")
endforeach()

file(COPY "${torch}/share" DESTINATION "${CUDA_TORCH}")
set(package "${CUDA_TORCH}/share/cmake/Caffe2")
file(WRITE "${package}/Modules_CUDA_fix/FindCUDA.cmake" "set(CUDA_FOUND FALSE)\n")

# replace(file old new): in a file of the package, where it has to be.
function(replace file old new)
  file(READ "${package}/${file}" text)
  string(REPLACE "${old}" "${new}" replaced "${text}")
  if(replaced STREQUAL text)
    message(FATAL_ERROR "${package}/${file} does not contain ${old}")
  endif()
  file(WRITE "${package}/${file}" "${replaced}")
endfunction()
replace(Caffe2Config.cmake "if(0)" "if(1)")
replace(Caffe2Config.cmake "set(CAFFE2_USE_CUDA 0)" "set(CAFFE2_USE_CUDA 1)")
replace(Caffe2Config.cmake "if( AND NOT CAFFE2_USE_CUDA)" "if(NOT CAFFE2_USE_CUDA)")
replace(Caffe2Targets.cmake "INTERFACE_LINK_LIBRARIES \"torch_cpu_library\""
                            "INTERFACE_LINK_LIBRARIES \"torch_cpu_library;torch_cuda_library\"")
