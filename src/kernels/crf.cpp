#include "kernels/crf.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/crf.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h, so that they are read once for each target.
#include "kernels/crf_backward-inl.hpp"
#include "kernels/crf_decode-inl.hpp"
#include "kernels/crf_forward-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

void crf_forward_float(const CrfForward<float>& crf, std::size_t threads, const Executor& executor) {
  run_crf<CrfForwardPass<float>>(crf, threads, executor);
}
void crf_forward_double(const CrfForward<double>& crf, std::size_t threads, const Executor& executor) {
  run_crf<CrfForwardPass<double>>(crf, threads, executor);
}
void crf_backward_float(const CrfBackward<float>& crf, std::size_t threads, const Executor& executor) {
  run_crf<CrfBackwardPass<float>>(crf, threads, executor);
}
void crf_backward_double(const CrfBackward<double>& crf, std::size_t threads, const Executor& executor) {
  run_crf<CrfBackwardPass<double>>(crf, threads, executor);
}
void crf_decode_float(const CrfDecode<float>& crf, std::size_t threads, const Executor& executor) {
  run_crf<CrfDecodePass<float>>(crf, threads, executor);
}
void crf_decode_double(const CrfDecode<double>& crf, std::size_t threads, const Executor& executor) {
  run_crf<CrfDecodePass<double>>(crf, threads, executor);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace packseq::kernels {

HWY_EXPORT(crf_forward_float);
HWY_EXPORT(crf_forward_double);
HWY_EXPORT(crf_backward_float);
HWY_EXPORT(crf_backward_double);
HWY_EXPORT(crf_decode_float);
HWY_EXPORT(crf_decode_double);

void run(const CrfForward<float>& crf, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(crf_forward_float)(crf, threads, executor);
}
void run(const CrfForward<double>& crf, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(crf_forward_double)(crf, threads, executor);
}
void run(const CrfBackward<float>& crf, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(crf_backward_float)(crf, threads, executor);
}
void run(const CrfBackward<double>& crf, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(crf_backward_double)(crf, threads, executor);
}
void run(const CrfDecode<float>& crf, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(crf_decode_float)(crf, threads, executor);
}
void run(const CrfDecode<double>& crf, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(crf_decode_double)(crf, threads, executor);
}

}  // namespace packseq::kernels
#endif
