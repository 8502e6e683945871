# Looks for LibTorch and sets Torch_FOUND. Part of the build and of the installed package alike.
# packseq is tested with LibTorch from the first version on and below the second; others may well work.
set(PACKSEQ_TORCH_MINIMUM 2.13)
set(PACKSEQ_TORCH_TESTED_BELOW 2.16)
set(PACKSEQ_TORCH_NOT_FOUND "packseq needs LibTorch ${PACKSEQ_TORCH_MINIMUM} or later and found none: set Torch_DIR to \
the folder of TorchConfig.cmake, or CMAKE_PREFIX_PATH to what python3 -c 'import torch; \
print(torch.utils.cmake_prefix_path)' prints")

if(TARGET torch)
  set(Torch_FOUND TRUE)
else()
  # LibTorch's package file warns that kineto is not found, in every pip wheel and in spite of QUIET.
  set(_packseq_log_level "${CMAKE_MESSAGE_LOG_LEVEL}")
  set(CMAKE_MESSAGE_LOG_LEVEL ERROR)
  include("${CMAKE_CURRENT_LIST_DIR}/PackseqTorchPackage.cmake")
  packseq_torch_dir(_packseq_torch_dir)
  packseq_keep_caffe2("${_packseq_torch_dir}")
  packseq_leave_cuda_out("${_packseq_torch_dir}")
  find_package(Torch ${PACKSEQ_TORCH_MINIMUM} QUIET)
  set(CMAKE_MESSAGE_LOG_LEVEL "${_packseq_log_level}")
  if(Torch_FOUND AND PACKSEQ_TORCH_CPU_ONLY)
    packseq_link_torch_cpu()
    if(NOT packseq_FIND_QUIETLY)
      message(STATUS "packseq: LibTorch is built for CUDA, whose toolkit is not found or does not fit: only LibTorch's "
                     "libraries for the CPU are linked")
    endif()
  endif()
endif()
