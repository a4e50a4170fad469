// The text form of graphs: what is printed reads back as the same graph, and mistakes are told with their place.
#include <gtest/gtest.h>

#include <set>

#include "analysis/clocks.h"
#include "autodiff/gradients.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "random_graph.h"

namespace dgen::test {
namespace {

void expect_round_trip(const Graph& g) {
  std::string text = print(g);
  Graph back = parse(text);
  EXPECT_EQ(print(back), text);
  ASSERT_EQ(back.size(), g.size());
  for (Id id = 0; id < g.size(); ++id) {
    EXPECT_EQ(back[id].op, g[id].op);
    EXPECT_EQ(back[id].in, g[id].in);
    EXPECT_EQ(back[id].attrs, g[id].attrs) << print_node(g, id);
    EXPECT_EQ(back[id].type, g[id].type);
    EXPECT_EQ(back[id].label, g[id].label);
  }
  EXPECT_EQ(back.outputs, g.outputs);
  EXPECT_EQ(back.effects, g.effects);
  ASSERT_EQ(back.cells.size(), g.cells.size());
  for (size_t c = 0; c < g.cells.size(); ++c) {
    EXPECT_EQ(back.cells[c].type, g.cells[c].type);
    EXPECT_EQ(back.cells[c].write, g.cells[c].write);
    EXPECT_EQ(back.cells[c].key, g.cells[c].key);
  }
}

// One use of every structural operator; scalar operators need no example.
const char* every_operator = R"(
%0 = param {slot=0,shape=[4,6]}
%1 = const {value=-1.5e-3}
%2 = literal {slot=0}
%3 = tensor {slot=1,shape=[6,2]}
%4 = input {channel=1,shape=[],period=1} "microphone \"left\""
%5 = sample_rate
%6 = frame_index
%7 = tick_count {period=4}
%8 = noise {seed=9223372036854775807,number=2,shape=[4],period=4}
%9 = iota {n=5}
%10 = detach %0
%11 = reshape %0 {shape=[2,3,4]}
%12 = permute %0 {axes=[1,0]}
%13 = expand %1 {shape=[3]}
%14 = slice %0 {starts=[1,0],ends=[3,6]}
%15 = pad %0 {pairs=[1,0,0,2],value=nan}
%16 = flip %0 {axes=[-1]}
%17 = concat %0, %10, %0 {axis=0}
%18 = windows %0 {axis=1,size=2,stride=2,dilation=1}
%19 = fold %18 {axis=1,length=6,stride=2,dilation=1}
%20 = sum %0 {axes=[0,1]}
%21 = prod %0 {axes=[0]}
%22 = amax %0 {axes=[]}
%23 = amin %0 {axes=[1]}
%24 = argmax %0 {axis=1}
%25 = cumsum %0 {axis=-1}
%26 = matmul %0, %3
%27 = gather %0, %13
%28 = scatter_add %13, %13 {size=7}
%29 = rfft %0
%30 = irfft %29 {n=6}
%31 = fft %29
%32 = ifft %29
%33 = buffer %4 {size=8,hop=4}
%34 = overlap_add %33 {hop=4,period=1}
%35 = hold %20 {period=4,reverse=1}
%36 = decimate %4 {hop=2}
%37 = place %35 {period=1}
%38 = sum_ticks %37 {hop=4}
%39 = sum_time %38
%40 = state_read %13 {cell=0,shape=[3],period=1,reverse=1}
%41 = state_write %40 {cell=0,shape=[3],period=1,reverse=1}
%42 = state_final %41 {cell=0}
%43 = delay %4, %20 {max=100}
%44 = ring_add %37, %37 {max=100}
%45 = phasor %20
%46 = phasor %1, %4
%47 = assign %0 {slot=0}
%48 = grad %20 {slot=0,shape=[4,6]}
%49 = tensor {slot=2,shape=[2,6,32]}
%50 = matmul_panels %0, %49
%51 = sine_table %8
%52 = tensor {slot=3,shape=[2,128]}
%53 = sine_sum %20, %20, %52 {cosine=1}
%54 = known_zeros %0 {elements=[0,23]}
cell 0 : (3)@frame' write %41 key "a \\ key\x0a"
output %34
output %48
effect %47
)";

TEST(Text, EveryOperator) {
  Graph g = parse(every_operator);
  for (Op o : all_ops())
    if (o->family == Family::scalar) g.add(o, std::vector<Id>(static_cast<size_t>(o->min_inputs), 4));
  std::set<Op> used;
  for (auto& node : g.nodes()) used.insert(node.op);
  for (Op o : all_ops()) EXPECT_TRUE(used.count(o)) << o->name << " needs a line in every_operator";
  verify(g, Clocks::implicit);
  std::string text = print(g);
  EXPECT_EQ(print(parse(text)), text);  // NaN keeps attributes from being equal
}

TEST(Text, RandomGraphsThroughThePasses) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Graph captured = RandomGraph(seed).make(25);
    expect_round_trip(captured);
    verify(captured, Clocks::implicit);
    Graph aligned = analysis::align_clocks(captured);
    expect_round_trip(aligned);
    verify(aligned, Clocks::aligned);
    Graph full = autodiff::expand_gradients(aligned);
    expect_round_trip(full);
    verify(full, Clocks::aligned);
  }
}

TEST(Text, AnyOrderAndNumbers) {
  Graph g = parse("  %9 = add %100,%7   ; a comment\n\n%100=const{value=1.0}:()@static\r\n%7 = frame_index\noutput %9");
  EXPECT_EQ(print(g), "%0 = const {value=1.0} : ()@static\n%1 = frame_index : ()@frame\n%2 = add %0, %1 : ()@frame\noutput %2\n");
}

TEST(Text, LongChains) {
  std::string text = "%0 = frame_index\n";
  for (int i = 50000; i > 0; --i) text += cat("%", i, " = neg %", i - 1, "\n");
  EXPECT_EQ(parse(text).size(), 50001);
}

TEST(Text, Dot) {
  std::string dot = print_dot(parse("%0 = state_read {cell=0,shape=[],period=1}\n%1 = state_write %0 {cell=0,shape=[],period=1} \"x\"\n"
                                    "cell 0 : ()@frame write %1\noutput %0"));
  EXPECT_EQ(dot,
            "digraph dgen {\n  node [shape=box, fontname=monospace];\n"
            "  n0 [label=\"%0 state_read {cell=0,shape=[],period=1}  ()@frame\"];\n"
            "  n1 -> n0 [style=dashed, constraint=false];\n"
            "  n1 [label=\"%1 state_write {cell=0,shape=[],period=1}  ()@frame  x\"];\n  n0 -> n1;\n"
            "  out0 [label=\"output 0\", shape=ellipse];\n  n0 -> out0;\n}\n");
}

TEST(Text, Mistakes) {
  const std::pair<const char*, const char*> cases[] = {
      {"%0 = frame_index\n%0 = frame_index", "2:1: %0 is defined twice, first in line 1"},
      {"%0 = frob", "1:6: no operator 'frob'"},
      {"%0 = neg %1", "1:10: %1 is not defined"},
      {"%1 = add %2, %3\n%2 = neg %3\n%3 = sin %1", "1:1: a cycle without a cell: %3 -> %2 -> %1 -> %3"},
      {"%1 = neg %1", "1:1: a cycle without a cell: %1 -> %1"},
      {"%99999999999999999999 = frame_index", "1:2: the number is too large"},
      {"%0 = iota {n=99999999999}", "1:6: size 99999999999 of an axis is not in [1, 2147483648]"},
      {"%0 = iota {n=5.5}", "1:6: attribute 'n' is missing or of another type"},
      {"%0 = iota {n=5,n=6}", "1:16: attribute 'n' is given twice"},
      {"%0 = iota", "1:6: attribute 'n' is missing or of another type"},
      {"%0 = param {slot=0,shape=[2,-3]}", "1:26: size -3 of an axis is not in [1, 2147483648]"},
      {"%0 = param {slot=0,shape=[2147483648,2147483648]}", "1:26: a shape of more than 1099511627776 elements"},
      {"%0 = frame_index : ()@hop(4)", "1:20: the type is ()@frame"},
      {"%0 = frame_index : (1)@frame", "1:20: the type is ()@frame"},
      {"%0 = frame_index : ()@often", "1:23: unknown clock 'often'"},
      {"%0 = frame_index\n%1 = buffer %0 {size=-1,hop=4}", "2:6: [buffer] size must be at least 1, got -1"},
      {"%0 = frame_index\n%1 = add %0", "2:6: [add] takes 2 inputs, got 1"},
      {"%0 = frame_index,", "1:17: expected the end of the line, found ','"},
      {"%0 = neg %1, ", "1:14: expected a node, found the end of the line"},
      {"%0 = frame_index \"x", "1:20: the string has no end"},
      {"%0 = frame_index \"\\q\"", "1:21: unknown escape in a string"},
      {"%0 = const {value=1e999}", "1:19: the number is out of range"},
      {"banana", "1:1: expected a node, cell, output or effect, found 'banana'"},
      {"output %4", "1:8: %4 is not defined"},
      {"%0 = frame_index\neffect %0", "2:8: %0 is no effect"},
      {"%0 = state_read {cell=0,shape=[],period=1}", "1:6: cell 0 is not defined"},
      {"%0 = state_read {cell=0,shape=[],period=1}\ncell 0 : (2)@frame", "1:6: cell 0 is (2)@frame, not ()@frame"},
      {"cell 1 : ()@frame", "1:6: cell 1 is not in [0, 0]"},
      {"%0 = frame_index\ncell 0 : ()@frame write %0", "2:25: %0 does not write cell 0"},
  };
  for (auto& [text, message] : cases) {
    try {
      parse(text);
      ADD_FAILURE() << "parsed: " << text;
    } catch (const Error& e) {
      EXPECT_STREQ(e.what(), message) << text;
    }
  }
}

template <class F>
void expect_invalid(const std::string& message, Clocks clocks, F change) {
  Graph g = parse("%0 = input {channel=0,shape=[],period=4}\n%1 = state_read {cell=0,shape=[],period=1}\n%2 = neg %1\n"
                  "%3 = state_write %2 {cell=0,shape=[],period=1}\ncell 0 : ()@frame write %3\noutput %3");
  verify(g, clocks);
  change(g);
  try {
    verify(g, clocks);
    ADD_FAILURE() << "expected: " << message;
  } catch (const InternalError& e) {
    EXPECT_NE(std::string(e.what()).find("invalid graph: " + message), std::string::npos) << e.what();
  }
}

TEST(Verify, Graph) {
  auto add = [](Op o, std::vector<Id> in, Type type, Attrs attrs = {}) {
    return [=](Graph& g) { g.add(Node{o, in, attrs, type, {}, {}}); };
  };
  expect_invalid("the type should be ()@frame in: %4 = sin %2 : (2)@frame", Clocks::implicit, add(op("sin"), {2}, {{2}, frame_clock}));
  expect_invalid("input 0 is at hop(4), not frame in: %4 = add %0, %1", Clocks::aligned, add(op("add"), {0, 1}, {{}, frame_clock}));
  expect_invalid("[sin] takes 1 inputs, got 2", Clocks::implicit, add(op("sin"), {1, 2}, {{}, frame_clock}));
  Attrs attrs{{"cell", int64_t{0}}, {"shape", Ints{}}, {"period", int64_t{1}}};
  expect_invalid("a write that cell 0 does not know", Clocks::implicit, add(op("state_write"), {1}, {{}, frame_clock}, attrs));
  expect_invalid("no cell 3", Clocks::implicit, add(op("state_read"), {}, {{}, frame_clock}, Attrs(attrs).set("cell", int64_t{3})));
  expect_invalid("a write that cell 0 does not know", Clocks::implicit, [](Graph& g) { g.cells[0].write = none; });
  expect_invalid("not the write of cell 1", Clocks::implicit, [](Graph& g) { g.cells.push_back(g.cells[0]); });
  expect_invalid("output %17 is no node", Clocks::implicit, [](Graph& g) { g.outputs.push_back(17); });
}

}  // namespace
}  // namespace dgen::test
