#include "cli/check.hpp"

#include <ATen/ops/add.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

namespace packseq::cli {
namespace {

double largest(const at::Tensor& values) { return values.numel() == 0 ? 0 : values.abs().max().item<double>(); }

/// The gradients of a pass by parameter, summed in double so that the sum adds no rounding of its own.
class Gradients {
 public:
  /// Adds the gradients that `model` holds, and clears them there.
  void take_from(Model& model) {
    for (const auto& parameter : model.named_parameters()) {
      const at::Tensor gradient = parameter.value().grad().to(at::kDouble);
      at::Tensor& sum = sums_[parameter.key()];
      sum = sum.defined() ? sum + gradient : gradient;
      if (sum.is_sparse()) sum = sum.coalesce();
    }
    model.zero_grad();
  }

  const std::map<std::string, at::Tensor>& sums() const { return sums_; }

 private:
  std::map<std::string, at::Tensor> sums_;
};

double largest_element(const at::Tensor& gradient) {
  return largest(gradient.is_sparse() ? gradient.coalesce().values() : gradient);
}

class Checker {
 public:
  Checker(Model& model, const Corpus& corpus) : model_(model), corpus_(corpus) {}

  const Agreements& agreements() const { return agreements_; }

  /// Runs one document of a batch by itself.
  NetworkResult run_alone(std::int64_t document) { return model_.run_padded(corpus_.ids[document].unsqueeze(0)); }

  /// What every contender's gradients are compared with.
  Gradients reference_gradients(const Contender& batched) {
    Gradients gradients;
    const double scale = loss_scale(model_, batched);
    for (const auto& documents : batched.batches()) {
      for (const std::int64_t document : documents) {
        (run_alone(document).output.square().sum() * scale).backward();
      }
      gradients.take_from(model_);
    }
    return gradients;
  }

  void compare_outputs(const Contender& contender, std::size_t batch, const NetworkResult& result) {
    const torch::NoGradGuard no_grad;
    const Outcome outcome = contender.outcome(batch, result);
    const auto& documents = contender.batches()[batch];
    for (std::size_t row = 0; row < documents.size(); ++row) {
      const NetworkResult alone = run_alone(documents[row]);
      const auto index = static_cast<std::int64_t>(row);
      note(contender, documents[row], "output", outcome.outputs[index] - alone.output.squeeze(0));
      note(contender, documents[row], "last state",
           outcome.last_states[index] - model_.last_layer(alone.hidden).squeeze(0));
    }
  }

  void compare_gradients(const Contender& contender, const Gradients& actual, const Gradients& reference) {
    const double least_scale = least_gradient_scale(contender, reference);
    for (const auto& [parameter, expected] : reference.sums()) {
      const double absolute = largest_element(actual.sums().at(parameter) - expected);
      const double scale = std::max(largest_element(expected), least_scale);
      const double relative = scale > 0 ? absolute / scale : absolute;
      require(relative, allowed(contender).max_gradient_difference, contender, "gradient of " + parameter,
              "the documents run alone");
      Agreement& agreement = agreements_[contender.precision()];
      agreement.max_gradient_difference = std::max(agreement.max_gradient_difference, relative);
      agreement.max_abs_difference = std::max(agreement.max_abs_difference, absolute);
    }
  }

 private:
  void note(const Contender& contender, std::int64_t document, const char* what, const at::Tensor& difference) {
    const double size = largest(difference);
    require(size, allowed(contender).max_abs_difference, contender, what, corpus_.name(document) + " run alone");
    Agreement& agreement = agreements_[contender.precision()];
    agreement.max_abs_difference = std::max(agreement.max_abs_difference, size);
  }

  /// A rounded term is off by a part of itself, however small the sum. Where there are few units, terms may all but
  /// cancel each other in a whole parameter; how large they are, the gradients of others tell.
  static double least_gradient_scale(const Contender& contender, const Gradients& reference) {
    if (contender.precision() == engine::Precision::float32) return 0;
    double largest_of_all = 0;
    for (const auto& [parameter, gradient] : reference.sums()) {
      largest_of_all = std::max(largest_of_all, largest_element(gradient));
    }
    return largest_of_all / 10;
  }

  Agreement allowed(const Contender& contender) const { return tolerance(model_.shape(), contender.precision()); }

  static void require(double difference, double limit, const Contender& contender, const std::string& what,
                      const std::string& reference) {
    if (difference <= limit) return;  // not so if it is NaN
    throw Disagreement(fmt::format("{}: the {} differs by {:.1e} from that of {}, more than the {:.0e} allowed",
                                   contender.name(), what, difference, reference, limit));
  }

  Model& model_;
  const Corpus& corpus_;
  Agreements agreements_;
};

void check_inference(Checker& checker, const Contender& contender) {
  const torch::NoGradGuard no_grad;
  for (std::size_t batch = 0; batch < contender.batches().size(); ++batch) {
    checker.compare_outputs(contender, batch, contender.forward(batch));
  }
}

void check_training(Checker& checker, Model& model, const Contender& contender, const Gradients& reference) {
  const double scale = loss_scale(model, contender);
  Gradients gradients;
  for (std::size_t batch = 0; batch < contender.batches().size(); ++batch) {
    const NetworkResult result = contender.forward(batch);
    checker.compare_outputs(contender, batch, result);
    (contender.sum_of_squares(batch, result.output) * scale).backward();
    gradients.take_from(model);
  }
  checker.compare_gradients(contender, gradients, reference);
}

}  // namespace

Agreement tolerance(const cost::Network& network, engine::Precision precision) {
  if (precision == engine::Precision::float32) return {.max_abs_difference = 1e-4, .max_gradient_difference = 1e-4};
  const auto input = static_cast<double>(network.input_size);
  const auto hidden = static_cast<double>(network.hidden_size);
  const double deviation = std::ldexp(1, -8) * std::sqrt((input + hidden) / (3 * hidden));
  return {.max_abs_difference = 12 * deviation, .max_gradient_difference = 12 * deviation};
}

double loss_scale(const Model& model, const Contender& contender) {
  std::int64_t tokens = 0;
  for (std::size_t batch = 0; batch < contender.batches().size(); ++batch) {
    tokens += contender.lengths(batch).sum().item<std::int64_t>();
  }
  return 1.0 / static_cast<double>(tokens * model.output_size());
}

Agreements check(Model& model, const Corpus& corpus, const Contenders& contenders, const std::vector<cost::Mode>& modes,
                 const std::function<void(const std::string&)>& report) {
  Checker checker(model, corpus);
  for (const cost::Mode mode : modes) {
    Gradients reference;
    if (mode == cost::Mode::training) {
      report("checking: gradients of each document alone");
      reference = checker.reference_gradients(*contenders.front());
    }
    for (const auto& contender : contenders) {
      if (!contender->equivalent() || !contender->runs(mode)) continue;
      report("checking: " + contender->name());
      if (mode == cost::Mode::inference) check_inference(checker, *contender);
      if (mode == cost::Mode::training) check_training(checker, model, *contender, reference);
    }
  }
  return checker.agreements();
}

}  // namespace packseq::cli
