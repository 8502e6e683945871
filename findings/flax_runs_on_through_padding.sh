#!/usr/bin/env bash
# flax 0.12.8 with jax 0.10.2, CPU: nn.RNN runs on through the padding behind `seq_lengths`, and shows it in three ways.
#
# A document's final state is the one behind its last real step, as said. But the outputs in the padding are those of
# going on, not zeros, so that a pool over time takes them in; a sequence of length 0 ends with the state behind all of
# its padding, not with the initial one; and NaN in the padding leave outputs of real steps as they are, and make the
# gradients of all weights NaN.
#
# Seen for OptimizedLSTMCell, GRUCell and SimpleCell alike: state right True, zeros in padding False, length 0 as the
# last padding True, outputs as without NaN True, gradients finite False. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet flax==0.12.8 jax==0.10.2
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore - <<'END'
import flax
import flax.linen as nn
import jax
import jax.numpy as jnp


def hidden(carry):
    return carry[1] if isinstance(carry, tuple) else carry


print("flax", flax.__version__, "jax", jax.__version__)
inputs = jax.random.normal(jax.random.key(0), (3, 4, 2))
lengths = jnp.array([4, 2, 0])
for cell in (nn.OptimizedLSTMCell, nn.GRUCell, nn.SimpleCell):
    rnn = nn.RNN(cell(3), return_carry=True)
    weights = rnn.init(jax.random.key(1), inputs)
    carry, outputs = rnn.apply(weights, inputs, seq_lengths=lengths)
    alone, _ = rnn.apply(weights, inputs[1:2, :2])
    with_nan = inputs.at[1, 2:].set(jnp.nan)

    def loss(weights):
        return hidden(rnn.apply(weights, with_nan, seq_lengths=lengths)[0])[:2].sum()

    _, outputs_beside_nan = rnn.apply(weights, with_nan, seq_lengths=lengths)
    gradients = jax.grad(loss)(weights)
    seen = {"state right": jnp.allclose(hidden(carry)[1], hidden(alone)[0], atol=1e-6),
            "zeros in padding": (outputs[1, 2:] == 0).all(),
            "length 0 as the last padding": (hidden(carry)[2] == outputs[2, -1]).all(),
            "outputs as without NaN": (outputs_beside_nan[1, :2] == outputs[1, :2]).all(),
            "gradients finite": any(jnp.isfinite(gradient).all() for gradient in jax.tree.leaves(gradients))}
    print(cell.__name__, *(f"{what} {bool(answer)}," for what, answer in seen.items()))
    assert [bool(answer) for answer in seen.values()] == [True, False, True, True, False]
END
