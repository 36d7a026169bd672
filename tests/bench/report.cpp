#include "report.hpp"

#include "statistics.hpp"

#include <cmath>
#include <cstdio>

namespace vagus::bench {

namespace {

using kind = goal::kind;

double ratio(double ours, double theirs) {
  return theirs == 0 ? NAN : ours / theirs;
}

std::string number(const char* format, double value) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Three or four digits and the thousands as a letter.
std::string scaled(double value) {
  if (value == 0) return "-";
  if (value >= 1e7) return number("%.1fM", value / 1e6);
  if (value >= 1e6) return number("%.2fM", value / 1e6);
  if (value >= 1e4) return number("%.0fk", value / 1e3);
  if (value >= 1e3) return number("%.2fk", value / 1e3);
  return number(value < 10 ? "%.2f" : "%.0f", value);
}

std::string with_spread(const series& s) {
  if (s.values.empty()) return "-";
  return scaled(median(s.values)) + number(" ±%.0f%%", spread(s.values) * 100);
}

std::string goal_text(const goal& g) {
  const std::string limit = number("%g", g.limit);
  switch (g.what) {
    case kind::ratio_at_least:
      return ">= " + limit;
    case kind::ratio_at_most:
      return "<= " + limit;
    case kind::value_at_least:
      return "own >= " + limit;
    case kind::none:
      return "-";
  }
  return {};
}

/// "yes", "no", or "-" when one side is missing.
std::string verdict(const row_result& r) {
  const double ours = median(r.ours.values);
  const double values = ratio(ours, median(r.theirs.values));
  const goal& g = r.what.wanted;
  if (r.ours.values.empty() || g.what == kind::none) return "-";
  if (g.what == kind::value_at_least) return ours >= g.limit ? "yes" : "no";
  if (r.theirs.values.empty()) return "-";
  if (g.what == kind::ratio_at_least) return values >= g.limit ? "yes" : "no";
  return values <= g.limit ? "yes" : "no";
}

double both_loads(const row_result& r) {
  std::vector<double> all = r.theirs.load_ns;
  all.insert(all.end(), r.ours.load_ns.begin(), r.ours.load_ns.end());
  return median(all);
}

/// printf counts bytes; the ± is two of them in one column.
int wide(const std::string& text, int columns) {
  return columns + (text.find("±") == std::string::npos ? 0 : 1);
}

}  // namespace

void report::header() const {
  if (tsv_) {
    std::puts(
        "case\tunit\treference\treference_median\treference_spread\tvagus_median\tvagus_spread\t"
        "ratio\tgoal\tmet\treference_cpu_ns\tvagus_cpu_ns\tcpu_ratio\tload_cpu_ns\tothers");
    return;
  }
  std::printf("%-19s %-9s %14s %14s %7s %-10s %-4s %9s %9s %6s %8s %6s\n", "case", "unit",
              "reference", "vagus", "ratio", "goal", "met", "ref CPU", "own CPU", "ratio",
              "load CPU", "others");
  std::fflush(stdout);
}

void report::print_tsv(const row_result& r, double others, const std::string& met) const {
  const double theirs = median(r.theirs.values), ours = median(r.ours.values);
  const double their_cpu = median(r.theirs.server_ns), our_cpu = median(r.ours.server_ns);
  std::printf("%s\t%s\t%s\t%.6g\t%.4f\t%.6g\t%.4f\t%.4f\t%s\t%s\t%.1f\t%.1f\t%.4f\t%.1f\t%.3f\n",
              r.what.name.c_str(), r.what.unit.c_str(), r.reference.c_str(), theirs,
              spread(r.theirs.values), ours, spread(r.ours.values), ratio(ours, theirs),
              goal_text(r.what.wanted).c_str(), met.c_str(), their_cpu, our_cpu,
              ratio(our_cpu, their_cpu), both_loads(r), others);
}

void report::print_row(const row_result& r, double others) {
  const std::string met = verdict(r);
  met_ += met == "yes";
  missed_ += met == "no";
  if (tsv_) return print_tsv(r, others, met);
  const std::string theirs = with_spread(r.theirs), ours = with_spread(r.ours);
  const double their_cpu = median(r.theirs.server_ns), our_cpu = median(r.ours.server_ns);
  const bool both = !r.theirs.values.empty() && !r.ours.values.empty();
  std::printf(
      "%-19s %-9s %*s %*s %7s %-10s %-4s %9s %9s %6s %8s %6s\n", r.what.name.c_str(),
      r.what.unit.c_str(), wide(theirs, 14), theirs.c_str(), wide(ours, 14), ours.c_str(),
      both ? number("%.2f", ratio(median(r.ours.values), median(r.theirs.values))).c_str() : "-",
      goal_text(r.what.wanted).c_str(), met.c_str(), scaled(their_cpu).c_str(),
      scaled(our_cpu).c_str(),
      our_cpu > 0 ? number("%.2f", ratio(our_cpu, their_cpu)).c_str() : "-",
      scaled(both_loads(r)).c_str(), number("%.0f%%", others * 100).c_str());
}

void report::print(const bench_case& what, const case_result& result) {
  for (const auto& r : result.rows) print_row(r, median(result.others));
  for (const auto& e : result.errors)
    std::fprintf(tsv_ ? stderr : stdout, "  ERROR in %s, %s\n", what.name.c_str(), e.c_str());
  errors_ += static_cast<int>(result.errors.size());
  std::fflush(stdout);
}

bool report::summary() const {
  if (!tsv_)
    std::printf(
        "\n%d goal(s) met, %d missed, %d error(s). CPU: ns per message or operation. others: "
        "the part of the machine\nthat other programs used meanwhile; more than a few percent "
        "make a row worthless.\n",
        met_, missed_, errors_);
  return errors_ == 0;
}

void print_list(const std::vector<bench_case>& cases) {
  for (const auto& c : cases) {
    std::printf("%-14s %s\n", c.name.c_str(), c.what.c_str());
    for (const auto& r : c.rows)
      std::printf("%-14s   %s (%s): %s\n", "", r.name.c_str(), r.unit.c_str(),
                  goal_text(r.wanted).c_str());
  }
}

}  // namespace vagus::bench
