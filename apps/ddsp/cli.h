// The command line of the program.
#pragma once

namespace dgen::ddsp {

// Parses and runs. Exit status: 0 done, 1 failed (the message is on standard error), 2 wrong usage, 3 done but files
// were skipped.
int run_cli(int argc, const char* const* argv);

}  // namespace dgen::ddsp
