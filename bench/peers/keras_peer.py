#!/usr/bin/env python3
"""Keras on JAX: its LSTM and GRU, told by a mask what is padding, compiled."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy

from peer import Contender, reorder, serve

GATES = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2)}  # i f c o; z r h


def to_keras(case):
    order = GATES[case.kind]
    w_ih, w_hh, b_ih, b_hh = (reorder(array, order) for array in (case.w_ih, case.w_hh, case.b_ih, case.b_hh))
    return [w_ih.T, w_hh.T, b_ih + b_hh if case.kind == "lstm" else numpy.stack([b_ih, b_hh])]


def prepare(case):
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[case.kind](case.size, return_sequences=True,
                                                                            return_state=True)
    x = numpy.ascontiguousarray(case.x.swapaxes(0, 1))
    layer.build(x.shape)
    layer.set_weights(to_keras(case))
    state = [[variable.value for variable in variables]
             for variables in (layer.trainable_variables, layer.non_trainable_variables)]
    x, mask = jax.device_put((x, numpy.ascontiguousarray(case.real.T)))

    def infer(trainable, fixed, x, mask):
        return layer.stateless_call(trainable, fixed, x, mask=mask)[0]

    compiled = jax.jit(infer).lower(*state, x, mask).compile()
    return (lambda: jax.block_until_ready(compiled(*state, x, mask)),
            lambda results: {"output": numpy.asarray(results[0]).swapaxes(0, 1), "h": results[1]})


serve(f"Keras {keras.__version__} on JAX {jax.__version__}", {"Keras": Contender(prepare)})
