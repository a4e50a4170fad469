// The type that a file is compiled for.
#pragma once
#include <tgmath.h>

#include "naive.h"

#ifdef NAIVE_DOUBLE
typedef double real;
#define NAME NAIVE_F64
#else
typedef float real;
#define NAME NAIVE_F32
#endif

static const real two_pi = (real)6.283185307179586477;
