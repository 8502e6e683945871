#pragma once

#include <deque>

#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// What a call of this Python name with these arguments gives: a tensor or a dict where it is one of the names that
/// `torch.save` writes for them, else an object of that name.
/// @throws Refusal if the arguments are none that `torch.save` writes for it.
PickleValue* pickled_call(std::deque<PickleValue>& values, const PickleName& function, const PickleList& arguments);

/// What a persistent id stands for, which `torch.save` writes for storages alone; for one of a class that it does not
/// write without more, as of quantized numbers, an object.
/// @throws Refusal if `id` is no storage's.
PickleValue pickled_storage(const PickleValue& id);

}  // namespace packseq::nn::detail
