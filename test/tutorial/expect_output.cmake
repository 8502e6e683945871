# Runs PROGRAM with ARGUMENTS, writes what it prints to ACTUAL, and fails unless that is what EXPECTED holds.
execute_process(COMMAND "${PROGRAM}" ${ARGUMENTS} OUTPUT_FILE "${ACTUAL}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} failed: ${result}")
endif()

execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${ACTUAL}" "${EXPECTED}"
  RESULT_VARIABLE differ ERROR_QUIET)
if(differ)
  execute_process(COMMAND diff -u "${EXPECTED}" "${ACTUAL}")
  message(FATAL_ERROR "${PROGRAM} does not print what ${EXPECTED} holds.\n"
                      "If the new output is right, copy ${ACTUAL} over it.")
endif()
