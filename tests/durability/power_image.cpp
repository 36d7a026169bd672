#include "power_image.hpp"

#include "power_op.hpp"

#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vagus::testing {

namespace fs = std::filesystem;

namespace {

struct change {
  bool resize = false;
  uint64_t at = 0;  ///< or the new size
  std::string bytes;
};

/// A file, whatever its name: what is on the disk, and what is on its way.
struct node {
  std::string durable;
  std::deque<change> pending;

  void apply(const change& c) {
    if (c.resize) return durable.resize(c.at);
    if (durable.size() < c.at + c.bytes.size()) durable.resize(c.at + c.bytes.size());
    durable.replace(c.at, c.bytes.size(), c.bytes);
  }
  void settle(size_t count) {
    for (; count > 0 && !pending.empty(); --count) {
      apply(pending.front());
      pending.pop_front();
    }
  }
};

struct name_change {
  power_op::kind what;
  std::string name, other;
  std::shared_ptr<node> file;
  bool durable = false;
};

using names = std::map<std::string, std::shared_ptr<node>>;

std::string directory_of(const std::string& name) {
  auto slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

std::string content(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void apply_name(names& all, const name_change& c) {
  if (c.what == power_op::create) all[c.name] = c.file;
  if (c.what == power_op::unlink) all.erase(c.name);
  if (c.what == power_op::rename) {
    all.erase(c.name);
    all[c.other] = c.file;
  }
}

class replay {
public:
  explicit replay(const fs::path& base) {
    for (const auto& entry : fs::recursive_directory_iterator{base}) {
      if (!entry.is_regular_file() || entry.path().filename() == "lock.mdb") continue;
      auto file = std::make_shared<node>();
      file->durable = content(entry.path());
      durable_[fs::relative(entry.path(), base).string()] = file;
    }
    seen_ = durable_;
  }

  void run(const std::string& log) {
    for (size_t at = 0; at + sizeof(power_op) <= log.size();) {
      power_op op;
      std::memcpy(&op, log.data() + at, sizeof op);
      at += sizeof op;
      if (at + op.name_size + op.size > log.size()) return;
      auto name = log.substr(at, op.name_size);
      at += op.name_size;
      one(op, name, log.substr(at, op.size));
      at += op.size;
    }
  }

  void write(const fs::path& image, power_cut cut) {
    std::mt19937_64 random{cut.seed};
    keep_names(random);
    for (auto& [name, file] : durable_) {
      static const double shares[] = {0, 0.1, 0.5, 0.9, 1};
      lose(*file, random, shares[random() % std::size(shares)], cut.sector);
      fs::create_directories((image / name).parent_path());
      std::ofstream{image / name, std::ios::binary} << file->durable;
    }
  }

private:
  void one(const power_op& op, const std::string& name, std::string bytes) {
    auto at = seen_.find(name);
    auto file = at == seen_.end() ? nullptr : at->second;
    switch (op.what) {
      case power_op::create:
        return rename({op.what, name, {}, std::make_shared<node>()});
      case power_op::unlink:
      case power_op::rename:
        return rename({op.what, name, std::move(bytes), file});
      case power_op::sync_begin:
        begun_[{name, op.at}] = {file ? file->pending.size() : 0, changes_.size()};
        return;
      case power_op::sync_end:
        return settle(name, begun_[{name, op.at}], file);
      case power_op::write:
        if (file) file->pending.push_back({false, op.at, std::move(bytes)});
        return;
      case power_op::truncate:
        if (file) file->pending.push_back({true, op.at, {}});
        return;
      case power_op::synced_write:
        if (file && !file->pending.empty()) {
          file->apply(file->pending.back());
          file->pending.pop_back();
        }
        return;
    }
  }

  void rename(name_change c) {
    apply_name(seen_, c);
    changes_.push_back(std::move(c));
  }

  /// Two syncs of one file may run at once: what the first has settled the second has not to.
  void settle(const std::string& name, std::pair<size_t, size_t> begun,
              const std::shared_ptr<node>& file) {
    if (file) {
      auto before = file->pending.size();
      file->settle(begun.first);
      auto settled = before - file->pending.size();
      for (auto& [key, other] : begun_)
        if (key.first == name) other.first -= std::min(other.first, settled);
      return;
    }
    for (size_t i = 0; i < begun.second; ++i)
      if (directory_of(changes_[i].name) == name) changes_[i].durable = true;
  }

  void keep_names(std::mt19937_64& random) {
    size_t synced = 0;
    for (size_t i = 0; i < changes_.size(); ++i)
      if (changes_[i].durable) synced = i + 1;
    auto kept = synced + random() % (changes_.size() - synced + 1);
    for (size_t i = 0; i < kept; ++i) apply_name(durable_, changes_[i]);
  }

  static void lose(node& file, std::mt19937_64& random, double share, uint64_t sector) {
    std::bernoulli_distribution stays{share};
    for (const auto& c : file.pending) {
      if (c.resize) {
        if (stays(random)) file.apply(c);
        continue;
      }
      for (uint64_t at = c.at, end = c.at + c.bytes.size(); at < end;) {
        auto next = std::min(end, (at / sector + 1) * sector);
        if (stays(random)) file.apply({false, at, c.bytes.substr(at - c.at, next - at)});
        at = next;
      }
    }
    file.pending.clear();
  }

  names durable_;
  names seen_;
  std::vector<name_change> changes_;
  std::map<std::pair<std::string, uint64_t>, std::pair<size_t, size_t>> begun_;
};

}  // namespace

void build_power_image(const fs::path& base, const fs::path& log, const fs::path& image,
                       power_cut cut) {
  fs::remove_all(image);
  fs::create_directories(image);
  replay run{base};
  run.run(content(log));
  run.write(image, cut);
}

}  // namespace vagus::testing
