// DGen: lazy graphs of tensors and audio signals, with feedback, compiled forward and backward.
#pragma once
#include "dgen/config.h"
#include "dgen/dsp.h"
#include "dgen/error.h"
#include "dgen/io.h"
#include "dgen/nn.h"
#include "dgen/program.h"
#include "dgen/tensor.h"
#include "dgen/train.h"
