# Looks for MPI and makes the target MPI::MPI_CXX. Part of the build and of the installed package alike.
set(PACKSEQ_MPI_NOT_FOUND "packseq::mpi needs MPI 3.0 or later and did not find it: install libopenmpi-dev and \
openmpi-bin (apt), open-mpi (brew), openmpi (conda) or mpi (vcpkg), or set MPI_HOME")

# MPI is called in C; its old C++ interface would have to be linked as well.
set(MPI_CXX_SKIP_MPICXX TRUE)
find_package(MPI 3.0 QUIET COMPONENTS CXX)
unset(MPI_CXX_SKIP_MPICXX)
