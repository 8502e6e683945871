#include <ATen/ops/ones.h>

#include <string>

#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#error "it uses the C++ ABI of before 2011, unlike every library it would be linked with"
#endif

int main() { return at::ones({2}).sum().item<int>() == 2 ? 0 : 1; }
