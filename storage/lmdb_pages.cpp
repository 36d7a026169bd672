#include "storage/lmdb_pages.hpp"

#include "storage/bytes.hpp"

#include <algorithm>
#include <sys/types.h>

/// Changing a damaged page
/// -----------------------
/// To change a page, LMDB copies it to the heap and moves its entries about there, wherever its
/// header and its entries say that they are. With a bit flipped in them it writes outside of the
/// copy, up to 64 KiB or a whole heap away, and no fault tells. So a page is checked while it is
/// still in the map: header, the place and size of every entry, and that the sizes make up what
/// the header says is in use. Once it is a copy only LMDB changes it, and it stays sound.
///
/// Operation. A cursor is put where the change will be, and then has the pages from the root to
/// the leaf, which are those that LMDB copies. One that is a copy is sound, and so are those above
/// it: within a transaction each page is checked once. What a removal leaves nearly empty LMDB
/// fills from a neighbour, which is looked at as well; so is the head of the pages of a large value
/// that goes, as it says how many pages become free. The pages that every transaction changes, the
/// names of the databases and the ends of the list of free pages, are looked at when it begins.
///
/// LMDB hides all that, and has no call for it. In 0.9 it has kept its memory as is described here
/// since 0.9.24 at least; `is_known_lmdb` compares with what its calls say, and without that no
/// environment is opened.
///
/// When LMDB goes astray in a change, cursors of its own may be left in the transaction's lists,
/// on a stack that is gone: `forget_change` empties the lists, and marks the transaction as failed.
/// All else that `mdb_txn_abort` needs is in order: the dirty pages, the list of free pages and the
/// lock are never between two states while LMDB looks at a page of the file. Cursors that are open
/// are still to be closed, before the transaction ends. Nothing has reached the file then, and what
/// is in memory begins anew with the next transaction: the environment can be written again, and
/// what had been answered is, before the store stops.
///
/// Limits. Not looked at: the middle of the list of free pages, and the numbers in it. There,
/// damage may make LMDB write outside of a page's copy, take a page for free that is not, or ask
/// for gigabytes. A page whose structure is sound, but which is not what belongs there, is not
/// seen.

namespace vagus {

static_assert(MDB_VERSION_MAJOR == 0 && MDB_VERSION_MINOR == 9);

namespace {

// LMDB's own.

constexpr int most_levels = 32;

struct database_memory {
  uint32_t pad;
  uint16_t flags, depth;
  size_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct dirty_page {
  size_t number;
  void* page;
};

struct env_memory {
  int file, lock_file, meta_file;
  uint32_t flags;
  unsigned page_size, system_page_size, most_readers;
  int close_readers;
  MDB_dbi databases, most_databases;
  pid_t process;
  const char* path;
  const char* map;
  void* readers;
  void* metas[2];
  void* scratch;
  MDB_txn *now, *made;
  size_t map_size;
};

struct txn_memory {
  void *parent, *child;
  size_t next_page, id;
  env_memory* env;
  void *free_pages, *loose_pages;
  int loose_count;
  void* spilled;
  dirty_page* dirty;  ///< sorted; the first says how many come behind it. None if it only reads
  void* names;
  database_memory* databases;
  unsigned* sequences;
  MDB_cursor** cursors;
  unsigned char* database_flags;
  MDB_dbi count;
  unsigned flags;
};

struct cursor_memory {
  void *next, *backup, *inner;
  txn_memory* txn;
  MDB_dbi database;
  database_memory* of_database;
  void* of_names;
  unsigned char* database_flag;
  uint16_t depth, top;
  unsigned flags;
  const char* pages[most_levels];
  uint16_t places[most_levels];
};

constexpr unsigned cursor_stands = 0x01, txn_failed = 0x02, txn_reads = MDB_RDONLY;
constexpr MDB_dbi free_pages = 0, names = 1;
constexpr size_t no_page = ~size_t{0};
constexpr size_t page_header = 16, node_header = 8, place_size = 2;
constexpr uint16_t branch_page = 0x01, leaf_page = 0x02, overflow_page = 0x04, dirty = 0x10;
constexpr uint16_t large_value = 0x01, sub_database = 0x02;

txn_memory& memory_of(MDB_txn* txn) {
  return *reinterpret_cast<txn_memory*>(txn);
}

/// An entry of a page.
struct node {
  const char* at;

  uint16_t flags() const { return load_le<uint16_t>(at + 4); }
  uint32_t value_size() const { return load_le<uint32_t>(at); }
  size_t key_size() const { return load_le<uint16_t>(at + 6); }
  const char* value() const { return at + node_header + key_size(); }
  size_t large() const { return load_le<uint64_t>(value()); }
  size_t child() const { return value_size() | uint64_t{flags()} << 32; }
};

/// A page of the tree.
struct page {
  const char* at;

  size_t number() const { return load_le<uint64_t>(at); }
  uint16_t flags() const { return load_le<uint16_t>(at + 10); }
  size_t lower() const { return load_le<uint16_t>(at + 12); }
  size_t upper() const { return load_le<uint16_t>(at + 14); }
  uint32_t overflow_pages() const { return load_le<uint32_t>(at + 12); }
  bool is_leaf() const { return (flags() & leaf_page) != 0; }
  bool is_dirty() const { return (flags() & dirty) != 0; }
  size_t size() const { return (lower() - page_header) / place_size; }
  size_t place(size_t i) const { return load_le<uint16_t>(at + page_header + place_size * i); }
  node operator[](size_t i) const { return {at + place(i)}; }

  size_t node_size(size_t i) const {
    auto n = (*this)[i];
    auto size = node_header + n.key_size();
    if (is_leaf()) size += (n.flags() & large_value) != 0 ? sizeof(size_t) : n.value_size();
    return (size + 1) / 2 * 2;
  }
};

/// At most as many as the map has, whatever a meta page says.
size_t pages_in_use(const txn_memory& txn) {
  return std::min(txn.next_page, txn.env->map_size / txn.env->page_size);
}

class page_check {
public:
  page_check(const txn_memory& txn, MDB_dbi database)
      : txn_{txn}, database_{database}, page_size_{txn.env->page_size} {}

  /// One that is still in the map.
  bool is_sound(page p) const {
    if (p.flags() != branch_page && p.flags() != leaf_page) return false;
    if (!has(p.number()) || p.at != at(p.number()).at) return false;
    auto upper = p.upper();
    if (p.lower() < page_header || p.lower() % 2 != 0 || p.lower() > upper || upper > page_size_)
      return false;
    size_t used = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      auto place = p.place(i);
      if (place < upper || place % 2 != 0 || place + node_header > page_size_) return false;
      auto size = p.node_size(i);
      if (size > page_size_ - place) return false;
      if (p.is_leaf() ? !has_sound_flags(p[i]) : !has(p[i].child())) return false;
      used += size;
    }
    return used == page_size_ - upper;
  }

  bool is_sound(size_t number) const {
    return has(number) && (copy_of(number) || is_sound(at(number)));
  }

  /// The pages from the root to where the cursor stands.
  bool way_to(const cursor_memory& c) const {
    if (c.depth != c.of_database->depth) return false;
    for (auto level = c.depth; level-- > 0;) {
      page p{c.pages[level]};
      if (writes() && p.is_dirty()) return true;  // and so are those above
      if (!is_sound(p)) return false;
    }
    return true;
  }

  /// Of the value where the cursor stands, if it has pages of its own.
  bool large_value_of(const cursor_memory& c) const {
    page p{c.pages[c.top]};
    return c.places[c.top] >= p.size() || has_sound_value(p[c.places[c.top]]);
  }

  /// What may be used to fill pages that are nearly empty once the entry at the cursor is gone.
  bool neighbours(const cursor_memory& c) const {
    for (auto level = c.top; level > 0; --level) {
      if (!is_sparse_without(page{c.pages[level]}, c.places[level])) return true;
      page above{c.pages[level - 1]};
      auto place = c.places[level - 1];
      auto next = place > 0 ? place - 1u : 1u;
      if (next >= above.size() || !is_sound(above[next].child())) return false;
    }
    return true;
  }

  /// Those that LMDB looks at to remove everything: it leaves out leaves where no value is large.
  bool all() const {
    const auto& of = txn_.databases[database_];
    return of.root == no_page || (of.depth <= most_levels && all_below(of.root, 1));
  }

  bool ends(uint16_t flags) const {
    const auto& of = txn_.databases[database_];
    return of.flags == flags && end(of, false) && end(of, true);
  }

private:
  bool has(size_t number) const { return number < pages_in_use(txn_); }
  page at(size_t number) const { return {txn_.env->map + number * page_size_}; }
  bool writes() const { return (txn_.flags & txn_reads) == 0; }

  /// The page as the transaction has changed it, or null.
  const dirty_page* copy_of(size_t number) const {
    if (!writes()) return nullptr;
    const auto* first = txn_.dirty + 1;
    const auto* end = first + txn_.dirty->number;
    const auto* at = std::lower_bound(
        first, end, number, [](const dirty_page& d, size_t wanted) { return d.number < wanted; });
    return at != end && at->number == number ? at : nullptr;
  }

  bool has_sound_flags(node n) const {
    if (database_ != names) return (n.flags() & ~large_value) == 0;
    return n.flags() == sub_database && n.value_size() == sizeof(database_memory);
  }

  bool has_sound_value(node n) const {
    if ((n.flags() & large_value) == 0) return true;
    auto number = n.large();
    if (!has(number)) return false;
    if (copy_of(number)) return true;
    auto p = at(number);
    // More than it needs: it was made smaller in the transaction that wrote it.
    auto needed = (page_header - 1 + n.value_size()) / page_size_ + 1;
    return p.number() == number && p.flags() == overflow_page && p.overflow_pages() >= needed &&
           p.overflow_pages() <= pages_in_use(txn_) - number;
  }

  bool all_below(size_t number, size_t level) const {
    const auto& of = txn_.databases[database_];
    bool leaf = level == of.depth;
    if (!has(number)) return false;
    if (leaf && of.overflow_pages == 0) return true;
    const auto* copy = copy_of(number);
    auto p = copy ? page{static_cast<const char*>(copy->page)} : at(number);
    if ((!copy && !is_sound(p)) || p.is_leaf() != leaf) return false;
    for (size_t i = 0; i < p.size(); ++i)
      if (leaf ? !has_sound_value(p[i]) : !all_below(p[i].child(), level + 1)) return false;
    return true;
  }

  /// As LMDB decides it.
  bool is_sparse_without(page p, size_t i) const {
    auto left = p.size() - 1;
    if (!p.is_leaf()) return left < 2;
    auto used = page_size_ - page_header - (p.upper() - p.lower());
    if (i < p.size()) used -= p.node_size(i) + place_size;
    return left < 1 || 4 * used < page_size_ - page_header;
  }

  /// The first or last pages of a database that the transaction has not changed, with the second.
  bool end(const database_memory& of, bool last) const {
    auto number = of.root;
    for (int level = 0; number != no_page; ++level) {
      if (level == most_levels || !is_sound(number)) return false;
      auto p = at(number);
      if (p.is_leaf()) {
        for (size_t i = 0; i < p.size(); ++i)
          if (!has_sound_value(p[i])) return false;
        return true;
      }
      if (p.size() == 0) return false;
      auto other = last ? p.size() - 1 : std::min<size_t>(1, p.size() - 1);
      if (!is_sound(p[other].child())) return false;
      number = p[last ? p.size() - 1 : 0].child();
    }
    return true;
  }

  const txn_memory& txn_;
  MDB_dbi database_;
  size_t page_size_;
};

bool is_meta_page(const char* at) {
  return load_le<uint32_t>(at + page_header) == 0xBEEFC0DE;
}

bool is_known(const cursor_memory& c, const MDB_stat& of_names, MDB_txn* txn, MDB_dbi database) {
  auto& t = memory_of(txn);
  auto* env = mdb_txn_env(txn);
  const char* path = nullptr;
  int file = -1;
  MDB_envinfo info{};
  if (c.txn != &t || c.database != database || t.env != reinterpret_cast<env_memory*>(env) ||
      t.id != mdb_txn_id(txn) || mdb_env_get_path(env, &path) != 0 ||
      mdb_env_get_fd(env, &file) != 0 || mdb_env_info(env, &info) != 0)
    return false;
  const auto& e = *t.env;
  return e.path == path && e.file == file && e.map_size == info.me_mapsize &&
         e.page_size == of_names.ms_psize && is_meta_page(e.map) &&
         is_meta_page(e.map + e.page_size) && t.databases[names].entries == of_names.ms_entries &&
         t.databases[names].depth == of_names.ms_depth;
}

}  // namespace

bool is_known_lmdb(MDB_txn* txn, MDB_dbi database) {
  MDB_stat of_names{};
  MDB_cursor* cursor = nullptr;
  bool known = false;
  bool whole = lmdb_call(mdb_stat, txn, names, &of_names) == 0 &&
               lmdb_call(mdb_cursor_open, txn, database, &cursor) == 0 && survives_damage([&] {
                 known =
                     is_known(*reinterpret_cast<cursor_memory*>(cursor), of_names, txn, database);
               });
  if (cursor) mdb_cursor_close(cursor);
  return whole && known;
}

bool is_sound(MDB_txn* txn) {
  const auto& t = memory_of(txn);
  bool sound = false;
  return survives_damage([&] {
           sound = page_check{t, names}.ends(0) && page_check{t, free_pages}.ends(MDB_INTEGERKEY);
         }) &&
         sound;
}

bool is_inside(MDB_txn* txn, const MDB_val& found) {
  const auto& t = memory_of(txn);
  auto at = reinterpret_cast<uintptr_t>(found.mv_data) - reinterpret_cast<uintptr_t>(t.env->map);
  if (at > t.env->map_size) return (t.flags & txn_reads) == 0;  // an empty value may end the map
  auto used = pages_in_use(t) * t.env->page_size;
  return at <= used && found.mv_size <= used - at;
}

bool can_change(MDB_cursor* cursor, page_change what) {
  const auto& c = *reinterpret_cast<cursor_memory*>(cursor);
  if ((c.flags & cursor_stands) == 0) return true;  // the database is empty
  bool sound = false;
  return survives_damage([&] {
           page_check check{*c.txn, c.database};
           sound = check.way_to(c) && (what == page_change::add || check.large_value_of(c)) &&
                   (what != page_change::remove || check.neighbours(c));
         }) &&
         sound;
}

bool is_sound(MDB_cursor* cursor) {
  const auto& c = *reinterpret_cast<cursor_memory*>(cursor);
  bool sound = false;
  return survives_damage([&] {
           page_check check{*c.txn, c.database};
           sound = (c.places[c.top] > 0 || check.way_to(c)) && check.large_value_of(c);
         }) &&
         sound;
}

void forget_change(MDB_txn* txn) {
  auto& t = memory_of(txn);
  if (t.cursors != nullptr) std::fill_n(t.cursors, t.count, nullptr);
  t.flags |= txn_failed;
}

/// LMDB uses a cursor of its own, which it has made like any other.
int lmdb_clear(MDB_txn* txn, MDB_dbi database) {
  MDB_stat ignored{};
  if (int code = lmdb_call(mdb_stat, txn, database, &ignored); code != 0) return code;
  bool sound = false;
  bool whole = survives_damage([&] { sound = page_check{memory_of(txn), database}.all(); });
  if (!whole || !sound) return lmdb_astray;
  auto& cursors = memory_of(txn).cursors;
  auto* before = cursors[database];
  int code = lmdb_call(mdb_drop, txn, database, 0);
  if (code != lmdb_astray) return code;
  if (cursors[database] != before) mdb_cursor_close(cursors[database]);
  forget_change(txn);
  return code;
}

}  // namespace vagus
