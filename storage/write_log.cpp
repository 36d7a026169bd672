#include "storage/write_log.hpp"

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace vagus {

namespace fs = std::filesystem;

namespace {

/// From that size on, writing a batch takes longer than asking for it to begin.
constexpr uint64_t early_size = 16 * 1024;

constexpr uint64_t log_magic = 0x31474F4C53474156;   // "VAGSLOG1"
constexpr uint64_t mark_magic = 0x31454E4F44474156;  // "VAGDONE1"
constexpr uint64_t mark_at = 512;
constexpr uint64_t mark_size = 40;
constexpr uint64_t checkpoint_at = 4096;
constexpr uint64_t record_head = 24;
/// In a record's size: when it was written, all before it had been synced.
constexpr uint64_t all_before_synced = uint64_t{1} << 63;
constexpr uint64_t first_size = 64u << 10;
constexpr uint64_t largest_kept = 64u << 20;

uint64_t padded(uint64_t size) {
  return (size + 7) / 8 * 8;
}

fs::path name(const fs::path& directory, int which) {
  return directory / ("log." + std::to_string(which));
}

[[noreturn]] void fail(int code, const fs::path& where) {
  bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  throw store_failure{{full ? store_errc::no_space : store_errc::io_error, 0,
                       where.string() + ": " + std::generic_category().message(code)}};
}

void sync_data(int fd, const fs::path& where) {
  if (::fdatasync(fd) != 0) fail(errno, where);
}

void write_at(int fd, std::string_view bytes, uint64_t at, const fs::path& where) {
  while (!bytes.empty()) {
    auto n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno, where);
    bytes.remove_prefix(static_cast<size_t>(n));
    at += static_cast<uint64_t>(n);
  }
}

std::string read_all(int fd, const fs::path& where) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail(errno, where);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    auto n = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno, where);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

std::string sealed(uint64_t magic, uint64_t epoch, uint64_t size, uint64_t sum) {
  std::string bytes;
  for (auto number : {magic, epoch, size, sum}) append_le(bytes, number);
  seal(bytes);
  return bytes;
}

[[noreturn]] void damaged(const fs::path& where, uint64_t at) {
  throw store_failure{
      {store_errc::corrupt, 0, where.string() + ": damaged at byte " + std::to_string(at)}};
}

/// One file as it was found.
struct found_file {
  uint64_t epoch = 0;
  uint64_t marked = 0;  ///< the epoch of its mark; 0: none
  bool complete = false;
  std::string checkpoint;
  std::vector<write_log::record> records;
  uint64_t damaged_at = 0;  ///< behind its records; 0: not
  bool leftovers = false;   ///< there may be more behind its records
};

struct found_record {
  bool all_before_synced = false;
  uint64_t number = 0;
  std::string_view batch;
};

/// The record at `at`, if its checksum fits. `budget`: how many bytes may be looked at for that.
std::optional<found_record> record_at(std::string_view bytes, uint64_t at, uint64_t epoch,
                                      uint64_t after, uint64_t& budget) {
  if (bytes.size() < record_head || at > bytes.size() - record_head) return std::nullopt;
  byte_reader head{bytes.substr(at)};
  auto sum = head.le<uint64_t>();
  auto size = head.le<uint64_t>();
  auto number = head.le<uint64_t>();
  bool flag = (size & all_before_synced) != 0;
  size &= ~all_before_synced;
  if (number <= after || size > bytes.size() - at - record_head || size > budget)
    return std::nullopt;
  budget -= size;
  if (checksum(bytes.substr(at + 8, 16 + size), epoch) != sum) return std::nullopt;
  return found_record{flag, number, bytes.substr(at + record_head, size)};
}

/// Batches end where a checksum does not fit: what was torn, and what is left of the file's former
/// use, whose checksums have another seed. What was torn had not been synced; so if a later record
/// says that all before it had been, it is damage; unless it lies in a file that was not needed any
/// more, and was being written anew.
void read_records(std::string_view bytes, uint64_t at, found_file& file) {
  uint64_t last = 0;
  for (;;) {
    uint64_t budget = bytes.size();
    auto record = record_at(bytes, at, file.epoch, last, budget);
    if (!record) break;
    file.records.push_back({record->number, std::string{record->batch}});
    last = record->number;
    at += padded(record_head + record->batch.size());
  }
  // Bounded, as what clients have sent may look like many records.
  uint64_t budget = 4 * bytes.size();
  for (auto later = at + 8; later < bytes.size() && budget > 0; later += 8)
    if (auto record = record_at(bytes, later, file.epoch, last, budget)) {
      file.leftovers = true;
      if (record->all_before_synced) file.damaged_at = at;
    }
  if (budget == 0) file.leftovers = true;
}

/// The head or the mark; empty: it was never written. They lie in one sector each, so that no power
/// cut tears them.
std::string_view sealed_part(std::string_view bytes, uint64_t at, uint64_t magic,
                             const fs::path& where) {
  auto part = bytes.substr(at, mark_size);
  if (part.find_first_not_of('\0') == part.npos) return {};
  auto content = unseal(part);
  if (!content || load_le<uint64_t>(content->data()) != magic) damaged(where, at);
  return *content;
}

std::optional<found_file> read_file(const fs::path& where) {
  int fd = ::open(where.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) fail(errno, where);
  std::string bytes;
  try {
    bytes = read_all(fd, where);
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
  std::string_view all{bytes};
  if (all.size() < checkpoint_at) return std::nullopt;
  auto mark = sealed_part(all, mark_at, mark_magic, where);
  auto head = sealed_part(all, 0, log_magic, where);
  found_file file;
  if (!mark.empty()) file.marked = load_le<uint64_t>(mark.data() + 8);
  if (head.empty()) return file;
  auto epoch = load_le<uint64_t>(head.data() + 8);
  auto size = load_le<uint64_t>(head.data() + 16);
  if (size > all.size() - checkpoint_at) return file;
  auto checkpoint = all.substr(checkpoint_at, size);
  // A head without its mark may be there before its checkpoint is.
  if (checksum(checkpoint, epoch) != load_le<uint64_t>(head.data() + 24)) return file;
  file.epoch = epoch;
  file.checkpoint = checkpoint;
  file.complete = file.marked == epoch;
  read_records(all, padded(checkpoint_at + size), file);
  return file;
}

}  // namespace

void sync_directory(const fs::path& directory) {
  int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail(errno, directory);
  int code = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (code != 0) fail(code, directory);
}

write_log::~write_log() {
  for (auto& file : files_)
    if (file.fd >= 0) ::close(file.fd);
}

bool write_log::exists(const fs::path& directory) {
  std::error_code code;
  return fs::exists(name(directory, 0), code) || fs::exists(name(directory, 1), code);
}

write_log::contents write_log::read(const fs::path& directory) {
  std::optional<found_file> files[2] = {read_file(name(directory, 0)),
                                        read_file(name(directory, 1))};
  std::optional<found_file>* base = nullptr;
  for (auto& file : files)
    if (file && file->complete && (!base || file->epoch > (*base)->epoch)) base = &file;
  // A checkpoint that was complete is gone. The one before it is of no use, as its pages have been
  // used again. But while a recovery begins a new one in its place, it is not needed any more; nor
  // is one in whose place there is a new one already.
  for (int which : {0, 1}) {
    auto& file = files[which];
    auto& other = files[1 - which];
    if (!file) continue;
    auto newest = std::max({file->epoch, base ? (*base)->epoch : 0, other ? other->epoch : 0});
    if (file->marked > newest) damaged(name(directory, which), checkpoint_at);
  }
  if (!base) return {};
  int which = base == &files[0] ? 0 : 1;
  if ((*base)->damaged_at != 0) damaged(name(directory, which), (*base)->damaged_at);
  contents result{true, std::move((*base)->checkpoint), std::move((*base)->records)};
  auto& other = files[1 - which];
  if (other && other->epoch == (*base)->epoch + 1) {
    if (other->damaged_at != 0) damaged(name(directory, 1 - which), other->damaged_at);
    for (auto& r : other->records) result.records.push_back(std::move(r));
  }
  // What is left behind a torn batch would follow the next one that is as long. And a checkpoint
  // that was not completed must not be taken for one that was.
  result.untouched =
      result.records.empty() && !(*base)->leftovers && !(other && other->epoch > (*base)->epoch);
  return result;
}

void write_log::remove(const fs::path& directory) {
  std::error_code code;
  bool any = fs::remove(name(directory, 0), code);
  any = fs::remove(name(directory, 1), code) || any;
  if (any) sync_directory(directory);
}

void write_log::open_files(bool create) {
  for (int which : {0, 1}) {
    auto& file = files_[which];
    if (file.fd >= 0) continue;
    file.fd = ::open(name(directory_, which).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (file.fd < 0) fail(errno, name(directory_, which));
    struct stat status {};
    if (::fstat(file.fd, &status) != 0) fail(errno, name(directory_, which));
    file.size = static_cast<uint64_t>(status.st_size);
    auto found = read_file(name(directory_, which));
    file.complete = found && found->complete;
    if (found && found->epoch > epoch_) {
      epoch_ = found->epoch;
      current_ = which;
      start_ = end_ = last_ = padded(checkpoint_at + found->checkpoint.size());
    }
  }
  if (create) sync_directory(directory_);
}

void write_log::resume() {
  open_files(false);
}

/// Zeros, and not a hole or what fallocate gives: writing into those changes the file's metadata,
/// for which every sync would wait.
void write_log::reserve(open_file& file, uint64_t size) {
  if (size <= file.size) return;
  auto wanted = std::max(first_size, file.size);
  while (wanted < size) wanted += std::min<uint64_t>(wanted, 4u << 20);
  std::string zeros(static_cast<size_t>(wanted - file.size), '\0');
  write_at(file.fd, zeros, file.size, name(directory_, current_));
  file.size = wanted;
}

void write_log::begin(std::string_view checkpoint) {
  // A power cut may have left batches in a file whose head it took. They have the epoch that comes
  // now, so that they would be read as if they followed.
  bool may_have_leftovers = files_[0].fd < 0;
  if (may_have_leftovers) open_files(true);
  int next = 1 - current_;
  auto& file = files_[next];
  auto where = name(directory_, next);
  if (file.complete && !files_[current_].complete) {
    // A recovery replaces the checkpoint that it began with. A cut may leave a mixture of the two,
    // so that it must not be taken for one: the environment stands as it is without any.
    write_at(file.fd, std::string(mark_size, '\0'), mark_at, where);
    sync_data(file.fd, where);
  }
  file.complete = false;
  if (may_have_leftovers || file.size > largest_kept) {
    if (::ftruncate(file.fd, 0) != 0) fail(errno, where);
    file.size = 0;
  }
  reserve(file, first_size);
  auto epoch = epoch_ + 1;
  write_at(file.fd, checkpoint, checkpoint_at, where);
  write_at(file.fd, sealed(log_magic, epoch, checkpoint.size(), vagus::checksum(checkpoint, epoch)),
           0, where);
  // On the disk with the first batch behind it, or with the mark.
  current_ = next;
  epoch_ = epoch;
  start_ = end_ = last_ = padded(checkpoint_at + checkpoint.size());
  batches_ = 0;
}

void write_log::complete() {
  auto where = name(directory_, current_);
  // The head first: a mark without it would be taken for that of another checkpoint.
  sync_data(files_[current_].fd, where);
  write_at(files_[current_].fd, sealed(mark_magic, epoch_, 0, 0), mark_at, where);
  sync_data(files_[current_].fd, where);
  files_[current_].complete = true;
}

void write_log::append(uint64_t number, std::string_view batch) {
  auto where = name(directory_, current_);
  auto& file = files_[current_];
  auto size = padded(record_head + batch.size());
  std::string bytes;
  bytes.reserve(size);
  append_le(bytes, uint64_t{0});
  append_le(bytes, batch.size() | (synced_ ? all_before_synced : 0));
  append_le(bytes, number);
  bytes.append(batch);
  auto sum = vagus::checksum(std::string_view{bytes}.substr(8), epoch_);
  std::memcpy(bytes.data(), &sum, 8);
  bytes.resize(size, '\0');
  last_ = end_;
  synced_ = false;
  reserve(file, end_ + size + record_head);
  write_at(file.fd, bytes, end_, where);
  // A large one is on its way while the batch is applied; for a small one that is not worth a call.
  if (size >= early_size)
    ::sync_file_range(file.fd, static_cast<off_t>(end_), static_cast<off_t>(size),
                      SYNC_FILE_RANGE_WRITE);
  end_ += size;
  ++batches_;
}

void write_log::sync() {
  if (files_[current_].fd >= 0) sync_data(files_[current_].fd, name(directory_, current_));
  synced_ = true;
}

void write_log::undo() {
  auto where = name(directory_, current_);
  end_ = last_;
  write_at(files_[current_].fd, std::string(record_head, '\0'), end_, where);
  sync_data(files_[current_].fd, where);
  synced_ = true;
}

}  // namespace vagus
