# Makes find_package(packseq) work after cmake --install. No absolute path goes into the package: it can be moved.
include(CMakePackageConfigHelpers)

set(PACKSEQ_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/packseq")

install(TARGETS packseq EXPORT packseqTargets)
install(EXPORT packseqTargets NAMESPACE packseq:: DESTINATION "${PACKSEQ_CMAKE_DIR}")
if(PACKSEQ_WITH_MPI)
  install(TARGETS packseq_mpi EXPORT packseqMpiTargets)
  install(EXPORT packseqMpiTargets NAMESPACE packseq:: DESTINATION "${PACKSEQ_CMAKE_DIR}")
endif()
install(DIRECTORY include/packseq "${PROJECT_BINARY_DIR}/include/packseq"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(PACKSEQ_BUILD_PROGRAM)
  install(TARGETS packseq_program)
endif()
if(PACKSEQ_BUILD_TORCH_LIBRARY)
  install(TARGETS packseq_torch LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()

configure_package_config_file(cmake/packseqConfig.cmake.in packseqConfig.cmake
                              INSTALL_DESTINATION "${PACKSEQ_CMAKE_DIR}")
write_basic_package_version_file(packseqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/packseqConfig.cmake" "${PROJECT_BINARY_DIR}/packseqConfigVersion.cmake"
              cmake/PackseqHighway.cmake cmake/PackseqMpi.cmake cmake/PackseqTorch.cmake
              cmake/PackseqTorchPackage.cmake
        DESTINATION "${PACKSEQ_CMAKE_DIR}")

# `cpack` in the build folder makes packseq-<version>-<system>-<processor>.tar.gz of all that is installed.
set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_FILE_NAME "packseq-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_VERBATIM_VARIABLES TRUE)
if(PROJECT_IS_TOP_LEVEL)
  include(CPack)
endif()
