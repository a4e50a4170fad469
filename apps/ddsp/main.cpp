#include "cli.h"

int main(int argc, char** argv) { return dgen::ddsp::run_cli(argc, argv); }
