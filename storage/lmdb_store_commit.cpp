#include "storage/apply.hpp"
#include "storage/lmdb_store_impl.hpp"

#include <sys/statvfs.h>

/// Several batches in one transaction
/// ----------------------------------
/// A commit of LMDB writes every page on the way to what was changed, a dozen of them for a batch
/// of one message, and none of them may be used again before the next checkpoint. That is more than
/// the message, its place in the log and the sync of the disk cost together. As the log makes a
/// batch last, its commit is only for those who read, and can wait until somebody does.
///
/// Operation. `append` leaves its transaction open, and the next batch is applied in it. It is
/// committed when somebody reads, when it is large, before a checkpoint (which holds what is
/// committed, and lets the log forget the batches before), before the map grows (LMDB wants no
/// transaction then), and soon after the last batch, by `commit`. A write transaction belongs to
/// the thread that began it, so a reader asks that thread, and waits: as long as the batch at hand
/// takes. For a while after a read every batch is committed by itself, so that who reads all the
/// time does not wait.
///
/// When it fails. The batches were answered, and are in the log. If LMDB asks for a larger map, or
/// a later batch fails and takes the transaction with it, they are applied again from there. If
/// that fails, the store stops, shows the last commit, and `retry` begins from the checkpoint. A
/// disk that is nearly full is not let come to that: there every batch is committed by itself.
///
/// Limits. A transaction has at most `most_batches` and about `most_bytes`.

namespace vagus {

namespace {

constexpr size_t most_batches = 64;
constexpr size_t most_bytes = size_t{1} << 20;

}  // namespace

void lmdb_store_impl::commit_together(std::function<void()> commit_soon) {
  if (log_) commit_soon_ = std::move(commit_soon);
}

/// The next batch is to be committed by itself.
bool lmdb_store_impl::alone() const {
  return !commit_soon_ || read_lately_ > 0 || uncommitted_ >= most_batches ||
         open_bytes_ >= most_bytes || rows_->takes_out() || !has_room();
}

/// A commit that comes after the answer should not be what fills the disk.
bool lmdb_store_impl::has_room() const {
  struct statvfs disk {};
  return ::statvfs(directory_.c_str(), &disk) == 0 &&
         disk.f_bavail * disk.f_frsize >= options_.spare_disk;
}

void lmdb_store_impl::change(const std::function<void()>& f) {
  bool first = !open_;
  if (first) open_.emplace(env_);
  struct guard {
    lmdb_tables& rows;
    ~guard() { rows.abandon(); }  // LMDB wants cursors closed before their transaction ends
  } closing{*rows_};
  rows_->begin(open_->raw(), first);
  f();
  rows_->finish();
}

void lmdb_store_impl::commit_open() {
  if (!open_) return;
  rows_->settle(open_->raw());
  open_->commit();
  abandon_open();
  note_committed();
}

void lmdb_store_impl::abandon_open() {
  open_.reset();
  open_bytes_ = 0;
}

void lmdb_store_impl::note_committed() {
  std::lock_guard lock{commit_mutex_};
  uncommitted_ = 0;
  committed_.notify_all();
}

/// The batch at hand has been applied and is in the log. Whatever happens to its transaction from
/// here on, it was taken.
void lmdb_store_impl::note_applied(size_t batch) {
  writer_ = std::this_thread::get_id();
  open_bytes_ += batch;
  ++uncommitted_;
  if (read_lately_ > 0) commit();  // a reader has come meanwhile
}

store_error lmdb_store_impl::commit() {
  if (auto why = stopped()) return why;
  store_error error;
  try {
    commit_open();
    return {};
  } catch (const store_failure& failure) {
    error = failure.error;
  }
  recover(0, error);
  if (uncommitted_ == 0) return {};
  stop(error);
  return error;
}

/// What was lost with its transaction, from the log. False: it is still lost.
bool lmdb_store_impl::reapply(store_error& error) {
  if (uncommitted_ == 0) return true;
  try {
    for (const auto& record : write_log::read(directory_).records) {
      if (record.number <= rows_->meta().applied) continue;
      applied result;
      change([&] {
        result = apply_batch(*rows_, record.batch, false);
        rows_->fold(false);
      });
      if (result.number != record.number)
        throw store_failure{{store_errc::corrupt, 0, "the log lacks batches"}};
    }
    commit_open();
    note_committed();
    return true;
  } catch (const store_failure& failure) {
    error = failure.error;
    abandon_open();
    return false;
  }
}

/// Who reads sees all that `append` has answered for.
void lmdb_store_impl::wait_until_committed() {
  read_lately_ = options_.alone_after_read;
  if (uncommitted_ == 0) return;
  if (writer_.load() == std::this_thread::get_id()) {
    commit();
    return;
  }
  commit_soon_();
  std::unique_lock lock{commit_mutex_};
  committed_.wait(lock, [&] { return uncommitted_ == 0 || stopped(); });
}

}  // namespace vagus
