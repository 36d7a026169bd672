#include "storage/tool.hpp"

#include "storage/lmdb_store.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>

namespace vagus {

namespace fs = std::filesystem;

namespace {

constexpr size_t most_findings = 20;

std::string size_text(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes);
  const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (size /= 1024; size >= 1024 && unit + 1 < std::size(units); size /= 1024) ++unit;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string time_text(int64_t time_ns) {
  if (time_ns == 0) return "none";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(time_ns / 1'000'000'000));
}

/// Every directory at or below `dir` that holds a stream, in order.
std::vector<fs::path> streams_in(const fs::path& dir) {
  std::vector<fs::path> found;
  std::error_code code;
  if (fs::exists(dir / "data.mdb", code)) return {dir};
  for (fs::recursive_directory_iterator at{dir, code}, end; !code && at != end; at.increment(code))
    if (at->path().filename() == "data.mdb") found.push_back(at->path().parent_path());
  std::sort(found.begin(), found.end());
  return found;
}

class store_tool {
public:
  store_tool(std::ostream& out, std::ostream& err) : out_{out}, err_{err} {}

  int each(const fs::path& dir, bool (store_tool::*one)(lmdb_store&, const fs::path&)) {
    auto streams = streams_in(dir);
    if (streams.empty()) {
      err_ << "vagus store: there is no stream in " << dir.string() << "\n";
      return 1;
    }
    bool good = true;
    for (const auto& stream : streams) {
      lmdb_store_options options;
      options.read_only = true;
      auto opened = lmdb_store::open(stream, {}, options);
      if (!opened) {
        err_ << stream.string() << ": " << text(opened.error()) << "\n";
        good = false;
      } else {
        good = (this->*one)(**opened, stream) && good;
      }
    }
    return good ? 0 : 1;
  }

  bool check(lmdb_store& store, const fs::path& dir) {
    out_ << dir.string() << ": stream " << store.stream() << "\n";
    lmdb_store::packed_share packed;
    auto findings = store.verify(most_findings, progress("messages checked"), &packed);
    for (const auto& finding : findings) err_ << "  damaged: " << text(finding) << "\n";
    if (findings.size() >= most_findings) err_ << "  and perhaps more\n";
    if (packed.msgs > 0)
      out_ << fmt::format("  {} messages are compressed, from {} to {}\n", packed.msgs,
                          size_text(packed.before), size_text(packed.after));
    if (findings.empty()) out_ << "  no damage found\n";
    return findings.empty();
  }

  bool info(lmdb_store& store, const fs::path& dir) {
    auto snapshot = store.read();
    if (!snapshot) {
      err_ << dir.string() << ": " << text(snapshot.error()) << "\n";
      return false;
    }
    const auto& s = (*snapshot)->state();
    auto names = (*snapshot)->consumers({}, 1'000'000);
    auto line = [&](const char* name, const std::string& value) {
      out_ << fmt::format("  {:<16} {}\n", name, value);
    };
    out_ << dir.string() << "\n";
    line("stream", store.stream());
    line("messages", fmt::format("{}, {}", s.msgs, size_text(s.bytes)));
    line("sequences",
         fmt::format("{} to {}, {} deleted", s.first_seq, s.last_seq, s.num_deleted()));
    line("first message", time_text(s.first_time_ns));
    line("last message", time_text(s.last_time_ns));
    line("subjects", std::to_string(s.num_subjects));
    line("consumers", names ? std::to_string(names->size()) : text(names.error()));
    line("compression", (*snapshot)->meta().limits.compress ? "s2" : "none");
    line("on the disk", size_text(store.size().file));
    return true;
  }

  bool backup(lmdb_store& store, const fs::path& dir) {
    auto below = fs::relative(dir, from_);
    auto to = below == "." ? to_ : to_ / below;
    out_ << dir.string() << ": stream " << store.stream() << " to " << to.string() << "\n";
    auto error = store.copy(to, true, progress("bytes copied"));
    if (error) err_ << "  " << text(error) << "\n";
    return !error;
  }

  fs::path from_, to_;

private:
  static std::string text(const store_error& error) {
    std::string result = to_text(error.code);
    if (!error.text.empty()) result += ": " + error.text;
    if (error.seq != 0) result += fmt::format(" (sequence {})", error.seq);
    return result;
  }

  /// A line for every tenth.
  lmdb_store::progress progress(const char* what) {
    return [this, what, last = uint64_t{0}](uint64_t done, uint64_t total) mutable {
      auto tenth = total > 0 ? std::min<uint64_t>(10 * done / total, 10) : 10;
      if (tenth > last) out_ << fmt::format("  {:>3} %, {} {}\n", 10 * tenth, done, what);
      if (tenth > last) out_.flush();
      last = std::max(last, tenth);
      return true;
    };
  }

  std::ostream& out_;
  std::ostream& err_;
};

}  // namespace

const char* store_tool_usage() {
  return "vagus store check DIR       reads everything in the streams below DIR and compares\n"
         "vagus store info DIR        shows what they hold\n"
         "vagus store backup DIR TO   copies them to TO; a server may go on writing\n";
}

int run_store_tool(const std::vector<std::string>& words, std::ostream& out, std::ostream& err) {
  store_tool tool{out, err};
  if (words.size() == 2 && words[0] == "check") return tool.each(words[1], &store_tool::check);
  if (words.size() == 2 && words[0] == "info") return tool.each(words[1], &store_tool::info);
  if (words.size() == 3 && words[0] == "backup") {
    tool.from_ = words[1];
    tool.to_ = words[2];
    return tool.each(words[1], &store_tool::backup);
  }
  bool asked = words.size() == 1 && (words[0] == "help" || words[0] == "--help");
  (asked ? out : err) << store_tool_usage();
  return asked ? 0 : 2;
}

}  // namespace vagus
