#pragma once

/// The whole library, from text to recurrent networks over packed sequences.

#include "packseq/cost/network_cost.hpp"
#include "packseq/cost/operations.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/sequence/encode.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/tokenizer.hpp"
#include "packseq/text/vocab.hpp"
#include "packseq/version.hpp"
