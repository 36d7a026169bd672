#include "storage/lmdb_store.hpp"

#include "storage/apply.hpp"
#include "storage/checksum.hpp"
#include "storage/lmdb_store_impl.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace vagus {

namespace fs = std::filesystem;

namespace {

enum class meta_head { blank, first, other };

/// Of one of LMDB's two meta pages, which lies in one sector, so that no power cut tears it: as
/// LMDB writes it into a new file, for no transaction yet, or a later one.
meta_head look_at_meta(std::string_view head) {
  constexpr size_t magic_at = 16, version_at = 20, last_page_at = 136, transaction_at = 144;
  if (head.find_first_not_of('\0') == head.npos) return meta_head::blank;
  if (head.size() < transaction_at + 8) return meta_head::other;
  bool first = load_le<uint32_t>(head.data() + magic_at) == 0xBEEFC0DE &&
               load_le<uint32_t>(head.data() + version_at) == 1 &&
               load_le<uint64_t>(head.data() + last_page_at) == 1 &&
               load_le<uint64_t>(head.data() + transaction_at) == 0;
  return first ? meta_head::first : meta_head::other;
}

/// Whether a power cut has left this of a file whose making had not come to its first sync. Until
/// then LMDB has written its two meta pages, for no transaction, and one page of the transaction
/// that makes the databases; of these any sector may lack, and LMDB needs both meta pages. Every
/// store that was ever finished, a compact copy too, has at least four pages and both meta pages,
/// of which one is of a transaction: what damage makes of one is not taken for this.
bool is_unfinished(const fs::path& file) {
  constexpr size_t sector = 512;
  auto page = std::min<uint64_t>(static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)), 32768);
  std::error_code code;
  auto size = fs::file_size(file, code);
  if (code || size == 0 || size > 3 * page) return false;
  std::string bytes(size, '\0');
  std::ifstream in{file, std::ios::binary};
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) return false;
  std::string_view all{bytes};
  auto one = look_at_meta(all.substr(0, sector));
  auto two = look_at_meta(size > page ? all.substr(page, sector) : std::string_view{});
  return one != meta_head::other && two != meta_head::other &&
         (one == meta_head::blank || two == meta_head::blank);
}

}  // namespace

lmdb_store::opened lmdb_store::open(const fs::path& directory, std::string_view stream,
                                    lmdb_store_options options) {
  try {
    auto store = std::make_unique<lmdb_store_impl>(directory, options);
    store->open(stream);
    return std::unique_ptr<lmdb_store>{std::move(store)};
  } catch (const store_failure& failure) {
    return failure.error;
  }
}

lmdb_store_impl::lmdb_store_impl(fs::path directory, lmdb_store_options options)
    : directory_{std::move(directory)},
      options_{options},
      env_{directory_,
           {options.read_only ? 0 : options.first_map, options.largest_map,
            options.readers + (options.sync ? 2 : 0),  // two for the log
            options.sync, options.read_only, options.reader_patience}} {}

/// The index is brought up to date, so that the next opening has nothing to read again.
lmdb_store_impl::~lmdb_store_impl() {
  if (!opened_ || stopped()) return;
  try {
    if (open_) commit_open();
    while (rows_->needs_fold()) {
      change([&] { rows_->fold(true); });
      commit_open();
      if (log_) log_->note_change();
    }
    if (log_ && log_->changed()) log_->checkpoint();
  } catch (const store_failure&) {
    // Then the next opening reads again what is not in it.
  }
}

/// The batch goes into the log before it is applied: the disk is at work meanwhile. Whatever
/// keeps it from being committed, it must not come back from the log.
lmdb_store_impl::logged_batch::logged_batch(lmdb_store_impl& store, std::string_view batch,
                                            bool checkpoint)
    : store_{store} {
  if (!store.log_ || batch.empty()) return;
  batch_reader in{batch};
  auto applied = store.rows_->meta().applied;
  if (in.number() != 0 && in.number() <= applied) return;  // it was applied before
  there_ = true;
  try {
    store.log_->append(in.number() != 0 ? in.number() : applied + 1, batch, checkpoint);
  } catch (const store_failure&) {
    undo();
    store.log_failed_ = true;
    throw;
  }
}

lmdb_store_impl::logged_batch::~logged_batch() {
  if (there_) undo();
}

void lmdb_store_impl::logged_batch::settle() {
  if (!there_) return;
  try {
    store_.log_->settle();
  } catch (const store_failure&) {
    store_.log_failed_ = true;
    throw;
  }
}

void lmdb_store_impl::logged_batch::undo() {
  there_ = false;
  try {
    store_.log_->undo();
  } catch (const store_failure&) {
    store_.log_failed_ = true;
  }
}

/// Only files that a writer leaves behind when it ends while it makes a stream may be there.
void lmdb_store_impl::prepare_directory(std::string_view stream) {
  std::error_code code;
  if (stream.empty() || options_.read_only)
    throw store_failure{{store_errc::not_a_store, 0, directory_.string() + ": no data.mdb"}};
  fs::create_directories(directory_, code);
  for (const auto& entry : fs::directory_iterator{directory_, code})
    if (entry.path().filename() != "lock.mdb" && entry.path().filename() != writer_lock::file_name)
      throw store_failure{{store_errc::not_a_store, 0, directory_.string() + ": not empty"}};
  if (code)
    throw store_failure{{store_errc::io_error, 0, directory_.string() + ": " + code.message()}};
}

void lmdb_store_impl::open(std::string_view stream) {
  std::error_code code;
  if (!fs::exists(directory_ / "data.mdb", code)) prepare_directory(stream);
  std::vector<write_log::record> batches;
  if (options_.read_only) {
    check_readable();
  } else {
    lock_.take(directory_);
    forget_unfinished();
    batches = restore();
  }
  env_.open();
  bool made = !options_.read_only && !stream.empty() && is_new();
  if (made) make_new(stream);
  load();
  if (!options_.read_only) start_log(batches);
  if (made) sync_directory(fs::absolute(directory_).parent_path());
  if (!stream.empty() && stream != stream_)
    throw store_failure{{store_errc::not_a_store, 0, "the stream's name is " + stream_}};
  if (options_.read_only) stop({store_errc::stopped, 0, "opened for reading only"});
  opened_ = true;
  if (!options_.read_only && version_ < format_version) upgrade();
}

/// What an older version has written is in order here, but not the other way round.
void lmdb_store_impl::upgrade() {
  change([&] {
    put_value(open_->raw(), env_.databases().meta, to_val("format"), encode_format(stream_));
  });
  commit_open();
  if (log_) log_->note_change();
  version_ = format_version;
}

/// Only the making of a store may leave such a file; LMDB takes an empty one for a new one.
void lmdb_store_impl::forget_unfinished() {
  auto file = directory_ / "data.mdb";
  std::error_code code;
  if (write_log::exists(directory_) || !is_unfinished(file)) return;
  fs::resize_file(file, 0, code);
}

/// Another process may be writing; then what it has committed is there to be read.
void lmdb_store_impl::check_readable() const {
  if (!write_log::exists(directory_) || writer_lock::is_taken(directory_)) return;
  if (lmdb_log::needs_recovery(directory_))
    throw store_failure{{store_errc::unclean, 0,
                         directory_.string() + ": opening it for writing once recovers it"}};
}

std::vector<write_log::record> lmdb_store_impl::restore() {
  if (!write_log::exists(directory_)) return {};
  return lmdb_log::restore(directory_);
}

/// From here on every batch is in the log before it is in the environment.
void lmdb_store_impl::start_log(const std::vector<write_log::record>& batches) {
  auto found = write_log::read(directory_);
  if (!options_.sync && !found.present) return;
  auto log =
      std::make_unique<lmdb_log>(env_, directory_,
                                 lmdb_log::limits{options_.log_bytes, options_.log_batches,
                                                  options_.log_growth, options_.sync_each_batch});
  log->hold();
  for (const auto& batch : batches) replay(batch);
  if (!found.untouched || !options_.sync)
    log->checkpoint();
  else
    log->resume();
  if (options_.sync) {
    log_ = std::move(log);
  } else {
    log.reset();
    write_log::remove(directory_);
  }
}

applied lmdb_store_impl::append_growing(std::string_view batch, store_error& error) {
  for (int tries = 0;; ++tries) {
    try {
      if (tries == 0) keep_spare(batch.size());
      return try_append(batch);
    } catch (const store_failure& failure) {
      error = failure.error;
    }
    if (!recover(batch.size(), error) || tries == 8) return {};
    error = {};
  }
}

void lmdb_store_impl::replay(const write_log::record& batch) {
  store_error error;
  auto result = append_growing(batch.batch, error);
  if (error) throw store_failure{error};
  if (result.number < batch.number || (!result.already && result.number != batch.number))
    throw store_failure{{store_errc::corrupt, 0, "the log lacks batches"}};
}

bool lmdb_store_impl::is_new() {
  lmdb_read txn{env_};
  MDB_stat meta{};
  MDB_stat messages{};
  const auto& all = env_.databases();
  check_lmdb(lmdb_call(mdb_stat, txn.raw(), all.meta, &meta), "count the meta rows");
  check_lmdb(lmdb_call(mdb_stat, txn.raw(), all.messages, &messages), "count the messages");
  return meta.ms_entries == 0 && messages.ms_entries == 0;
}

void lmdb_store_impl::make_new(std::string_view stream) {
  lmdb_write txn{env_};
  auto meta = env_.databases().meta;
  put_value(txn.raw(), meta, to_val("format"), encode_format(stream));
  put_value(txn.raw(), meta, to_val("state"), encode(lmdb_meta{}));
  txn.commit();
}

void lmdb_store_impl::load() {
  lmdb_read txn{env_};
  std::string_view bytes;
  if (!find_value(txn.raw(), env_.databases().meta, "format", bytes))
    throw store_failure{{store_errc::not_a_store, 0, "there is no format row"}};
  auto format = decode_format(bytes);
  if (!format) throw store_failure{format.error()};
  stream_ = format->stream;
  version_ = format->version;
  auto rows = std::make_unique<lmdb_tables>(env_.databases(), options_);
  rows->meta().stream = stream_;
  if (!rows_) rows_ = std::move(rows);
  rows_->load(txn.raw());
}

store_error lmdb_store_impl::stopped() const {
  std::lock_guard lock{stop_mutex_};
  return stopped_;
}

void lmdb_store_impl::stop(const store_error& error) {
  {
    std::lock_guard lock{stop_mutex_};
    stopped_ = error;
  }
  std::lock_guard lock{commit_mutex_};
  committed_.notify_all();
}

applied lmdb_store_impl::append(std::string_view batch) {
  applied refused;
  if (auto why = stopped()) {
    refused.error = {store_errc::stopped, why.seq, why.text};
    return refused;
  }
  refused.error = check_batch(batch);
  if (refused.error) return refused;
  auto result = append_growing(batch, refused.error);
  if (!refused.error) return result;
  if (refused.error.code != store_errc::busy_readers) stop(refused.error);
  return refused;
}

/// Forgets what the failed batch left in memory. True if the map has grown, so that the batch may
/// be tried again.
bool lmdb_store_impl::recover(size_t batch, store_error& error) {
  bool full = error.code == store_errc::no_space;
  bool grown = false;
  auto lost = open_bytes_;
  try {
    abandon_open();
    load();
    if (full && !log_failed_) {
      env_.grow(4 * (batch + lost));
      grown = true;
    }
  } catch (const store_failure& failure) {
    if (!full || failure.error.code == store_errc::busy_readers) error = failure.error;
  }
  return reapply(error) && grown;
}

/// A batch's own bytes, the pages above them, and what bringing the index up to date may take:
/// there ahead, so that a batch seldom has to be done twice.
void lmdb_store_impl::keep_spare(size_t batch) {
  auto spare = 4 * (batch + open_bytes_) + (size_t{16} << 20);
  if (!env_.lacks(spare)) return;
  commit_open();
  try {
    env_.grow(spare);
  } catch (const store_failure&) {
    // There may be room enough all the same.
  }
}

/// What the log has of a batch that is not to be kept is taken out of it again.
applied lmdb_store_impl::try_append(std::string_view batch) {
  bool by_itself = alone();
  bool checkpoint = log_ && log_->wants_checkpoint();
  if (uncommitted_ > 0 && (by_itself || checkpoint)) commit_open();
  applied result;
  logged_batch logged{*this, batch, checkpoint};
  change([&] {
    result = apply_batch(*rows_, batch, options_.report_removed);
    if (!result.already) rows_->fold(false);
    if (env_.is_largest()) rows_->settle(open_->raw());  // what has no room must not be answered
  });
  if (result.already) {
    if (uncommitted_ == 0) abandon_open();
    return result;
  }
  logged.settle();
  if (by_itself) commit_open();
  logged.keep();
  if (!by_itself) note_applied(batch.size());
  if (auto left = read_lately_.load(); left > 0)
    read_lately_.compare_exchange_strong(left, left - 1);
  return result;
}

/// Opens the environment anew, since LMDB gives one up after some failures, and writes something.
store_error lmdb_store_impl::retry() {
  if (options_.read_only) return stopped();
  try {
    abandon_open();
    uncommitted_ = 0;  // the log has it
    log_.reset();
    log_failed_ = false;
    std::vector<write_log::record> batches;
    env_.reopen([&] { batches = restore(); });
    load();
    start_log(batches);
    change([] {});
    commit_open();
    if (log_) log_->checkpoint();
    stop({});
    return {};
  } catch (const store_failure& failure) {
    stop(failure.error);
    return failure.error;
  }
}

store_error lmdb_store_impl::sync() {
  if (auto why = stopped()) return why;
  try {
    if (log_) log_->sync();
    return {};
  } catch (const store_failure& failure) {
    stop(failure.error);
    return failure.error;
  }
}

store_result<std::unique_ptr<store_snapshot>> lmdb_store_impl::read() {
  try {
    if (options_.read_only) return make_snapshot_alone(env_, options_, stream_);
    wait_until_committed();
    return make_snapshot(env_, *rows_, stream_);
  } catch (const store_failure& failure) {
    return failure.error;
  }
}

lmdb_store::sizes lmdb_store_impl::size() const {
  try {
    return {env_.used_size(), env_.map_size()};
  } catch (const store_failure&) {
    return {};
  }
}

}  // namespace vagus
