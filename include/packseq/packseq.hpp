#pragma once

/// @mainpage packseq
/// The whole library, from text to recurrent networks over packed sequences.
///
/// Sizes in all headers: N tokens of B sequences (documents, once they are encoded), T steps of the longest one;
/// I and H the sizes of a network's input and hidden state, P of its projection (H where it has none), D its
/// directions, 2 if it is bidirectional, else 1. `*` stands for any number of dimensions, also none.
///
/// Functions without state may be called from many threads at once; each class says what it allows.
///
/// The examples in all headers go on from this one:
/// @code
/// const std::vector<std::string> documents = {"on your mark", "get set", "go"};
/// const auto vocab = packseq::Vocab::build(documents);
/// const auto ids = packseq::encode(documents, vocab);        // values 1 2 3 4 5 6, lengths 3 2 1
/// const auto packed = packseq::pack_sequence(ids);           // data 1 4 6 2 5 3, batch_sizes 3 2 1
/// torch::nn::Embedding embedding(vocab.size(), 4);
/// const auto embedded = packseq::map(packed, embedding);     // data [6, 4]
/// packseq::nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));
/// const auto [output, state] = lstm->forward(embedded);      // output.data() [6, 5], state.h and state.c [1, 3, 5]
/// @endcode

/// @namespace packseq
/// Documents, read and split into tokens, and packed batches of their ids or of anything else.
/// @namespace packseq::engine
/// The fused engine, which runs recurrent networks on a CPU, under the modules below or under LibTorch's operators.
/// @namespace packseq::nn
/// Modules over packed batches, and their weights in and out.
/// @namespace packseq::data
/// Batches for training, and training that goes on where it was interrupted.
/// @namespace packseq::cost
/// What a batch costs, padded and packed.
/// @namespace packseq::distributed
/// Training in several processes.

#include "packseq/cost/embedding_cost.hpp"
#include "packseq/cost/network_cost.hpp"
#include "packseq/cost/operations.hpp"
#include "packseq/cost/shared_steps.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/checkpoint.hpp"
#include "packseq/data/collate.hpp"
#include "packseq/data/column_reader.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/loss.hpp"
#include "packseq/data/span_metrics.hpp"
#include "packseq/data/text_reader.hpp"
#include "packseq/data/text_stream.hpp"
#include "packseq/distributed/communicator.hpp"
#include "packseq/distributed/replica.hpp"
#include "packseq/distributed/shard.hpp"
#include "packseq/engine/freeze.hpp"
#include "packseq/engine/install.hpp"
#include "packseq/engine/memory.hpp"
#include "packseq/engine/precision.hpp"
#include "packseq/engine/supports.hpp"
#include "packseq/nn/crf.hpp"
#include "packseq/nn/embedded.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/locked_dropout.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/per_token.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/nn/safetensors.hpp"
#include "packseq/nn/state_dict.hpp"
#include "packseq/nn/vector_table.hpp"
#include "packseq/sequence/encode.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "packseq/sequence/pool.hpp"
#include "packseq/sequence/print.hpp"
#include "packseq/sequence/reverse.hpp"
#include "packseq/sequence/softmax.hpp"
#include "packseq/sequence/spread.hpp"
#include "packseq/sequence/step.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/tag_scheme.hpp"
#include "packseq/text/tokenizer.hpp"
#include "packseq/text/vocab.hpp"
#include "packseq/text/word_vectors.hpp"
#include "packseq/version.hpp"
