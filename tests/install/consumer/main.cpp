#include <dgen/dgen.h>

int main() { return dgen::Signal::accum(1).realize(4).back() == 3 ? 0 : 1; }
