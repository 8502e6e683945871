# Finds a Python whose torch has the version of LibTorch, for the tests that compare with Python: PACKSEQ_TORCH_PYTHON.
# A LibTorch that pip installed lies in PREFIX/lib/python3.X/site-packages/torch; else any python3 may have its like.
foreach(python IN ITEMS "${TORCH_INSTALL_PREFIX}/../../../../bin/python3" python3)
  if(NOT PACKSEQ_TORCH_PYTHON)
    execute_process(COMMAND "${python}" -c "import torch; print(torch.__version__.split('+')[0])"
                    OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(version STREQUAL Torch_VERSION)
      set(PACKSEQ_TORCH_PYTHON "${python}" CACHE FILEPATH "A Python that can import the torch of Torch_DIR's version")
    endif()
  endif()
endforeach()
if(NOT PACKSEQ_TORCH_PYTHON)
  message(STATUS "No Python with torch ${Torch_VERSION}: tests that need one are skipped. Or set PACKSEQ_TORCH_PYTHON.")
endif()

# packseq_skip_without_python(test): stands for a test where there is no such Python.
function(packseq_skip_without_python test)
  add_test(NAME ${test} COMMAND "${CMAKE_COMMAND}" -E echo
    "Skipped: set PACKSEQ_TORCH_PYTHON to a Python with torch ${Torch_VERSION}")
  set_tests_properties(${test} PROPERTIES SKIP_REGULAR_EXPRESSION Skipped LABELS fast)
endfunction()
