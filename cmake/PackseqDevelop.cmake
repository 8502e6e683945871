# What only those who work on packseq want: a default build type, ccache, warnings, sanitizers, programs that still run
# once they are installed. Never a subproject's.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
# LibTorch's binaries are built with NDEBUG, and some of its classes have members only without it.
add_compile_definitions($<$<CONFIG:Debug>:NDEBUG>)

find_program(PACKSEQ_CCACHE ccache)
if(PACKSEQ_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this sloppiness ccache refuses every file that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${PACKSEQ_CCACHE}")
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_compile_options(-Xclang -fno-pch-timestamp)  # else a rebuilt precompiled header empties the cache
else()
  add_compile_options(-fpch-preprocess)  # else ccache cannot see which precompiled header a file uses
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
                    -Woverloaded-virtual -Wold-style-cast -Wcast-qual)
if(PACKSEQ_STRICT)
  add_compile_options(-Werror)
endif()

if(PACKSEQ_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)  # libstdc++ then looks at indices
  add_link_options(-fsanitize=address,undefined)
endif()

# What is installed finds libpackseq in its own prefix, and LibTorch where it was at build time. CMake would leave out a
# LibTorch that lies under build/, so it is named here.
if(APPLE)
  set(CMAKE_INSTALL_RPATH "@loader_path" "@loader_path/../${CMAKE_INSTALL_LIBDIR}")
else()
  set(CMAKE_INSTALL_RPATH "$ORIGIN" "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()
list(APPEND CMAKE_INSTALL_RPATH "${TORCH_INSTALL_PREFIX}/lib")
