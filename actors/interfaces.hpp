#pragma once

#include "actors/connection_record.hpp"
#include "actors/jetstream/messages.hpp"
#include "actors/messages.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace vagus {

/// Whoever is subscribed to subjects: connections, streams, the JetStream API.
using subscriber_actor = caf::typed_actor<
    // Messages for its subscriptions, as frames ready to be written to a client.
    caf::reacts_to<frame_batch_ptr>,
    // The subject space has put in force that many of its interest changes, in all.
    caf::reacts_to<applied_atom, uint64_t>,
    // Its interest is withdrawn, and all that publishers had for it has been sent.
    caf::reacts_to<retired_atom>,
    // Answers when what waits in it has fallen below the low-water mark, or it ends.
    caf::replies_to<drain_atom>::with<bool>>;

/// One client: its socket, parser, subscriptions and outgoing queue. Pinned to an event loop.
using connection_actor = subscriber_actor::extend<
    // From now on these options hold: limits, and who may be here.
    caf::reacts_to<reload_atom, settings_ptr>,
    // Sends an asynchronous INFO to clients that understand it.
    caf::reacts_to<info_atom, settings_ptr>,
    // For monitoring: its subscriptions, as far as they are asked for.
    caf::replies_to<subsz_atom, subscription_query>::with<subscriptions_view_ptr>,
    // Closes the connection for a reason that lies with the server.
    caf::reacts_to<close_atom, closed_reason>,
    // Itself: the socket is closed; end, once nobody can send to it.
    caf::reacts_to<end_atom>>;

/// Whoever wants to know when somebody subscribes to a subject, or no longer does.
using watcher_actor = caf::typed_actor<caf::reacts_to<interest_atom>>;

/// The subjects of one account: the only writer of its interest snapshots. Pinned to an event loop.
using subject_space_actor = caf::typed_actor<
    // Applies the changes of a subscriber, then tells it so.
    caf::reacts_to<interest_changes_ptr, subscriber_actor>,
    // Tells the watcher of every change that concerns this subject, a literal one; or no longer.
    caf::reacts_to<watch_atom, std::string, watcher_actor>,
    caf::reacts_to<unwatch_atom, std::string, watcher_actor>, caf::reacts_to<end_atom>>;

/// The clock of one event loop: fires the timers of what is pinned there. Pinned itself.
using timekeeper_actor = caf::typed_actor<
    // Itself: time to look at the clocks, and at the timers.
    caf::reacts_to<tick_atom>, caf::reacts_to<fire_atom>,
    // From now on these options hold on this loop.
    caf::reacts_to<reload_atom, settings_ptr>, caf::reacts_to<end_atom>>;

/// Checks passwords that are costly to check (bcrypt), away from the event loops.
using authenticator_actor =
    caf::typed_actor<caf::replies_to<verify_atom, credentials, settings_ptr>::with<bool>,
                     caf::reacts_to<end_atom>>;

/// Runs what may wait for a disk, on a thread of its own.
using storage_worker_actor =
    caf::typed_actor<caf::reacts_to<run_atom, storage_job>, caf::reacts_to<end_atom>>;

/// One consumer of a stream: what it has delivered and what of it is acknowledged, who waits for
/// messages. Subscribed to its acknowledgements and requests. Pinned to an event loop.
using consumer_actor = subscriber_actor::extend<
    // A client's request about this consumer; it answers the client.
    caf::reacts_to<api_atom, consumer_call_ptr>,
    // The stream tells it of every commit from the next one on.
    caf::reacts_to<following_atom>,
    // The stream has committed a batch.
    caf::reacts_to<news_atom, stream_batch_ptr>,
    // What it wanted to be committed is durable, or (false) could not be stored.
    caf::reacts_to<stored_atom, consumer_change_ptr, bool>,
    // A storage thread has found the last message of each subject.
    caf::reacts_to<lasts_atom, last_messages>,
    // Somebody has subscribed to its deliver subject, or no longer does.
    caf::reacts_to<interest_atom>,
    // What its stream got for it while it was not there.
    caf::reacts_to<hand_atom, frame_batch_ptr>,
    // It may rest, as it has asked for: tells the stream what it does. Nothing of the stream
    // follows until then.
    caf::reacts_to<rest_atom>,
    // Itself: goes on delivering.
    caf::reacts_to<continue_atom>,
    // It is deleted: tells those who wait so, then ends.
    caf::reacts_to<remove_atom>,
    // The server stops, or the stream goes: ends.
    caf::reacts_to<end_atom>>;

/// Copies what one origin stores into a stream that mirrors it or has it as a source. Pinned to an
/// event loop.
using sourcing_actor = subscriber_actor::extend<
    // The stream has stored all up to this sequence of the origin that calls itself so; or (false)
    // could not store more.
    caf::reacts_to<stored_atom, uint64_t, std::string, bool>,
    // Lets go of the origin and ends.
    caf::reacts_to<end_atom>>;

/// One stream: its configuration, what is on its way to its store, who waits for which answer.
/// Subscribed to its subjects. Pinned to an event loop.
using stream_actor = subscriber_actor::extend<
    // A client's request about this stream; it answers the client.
    caf::reacts_to<api_atom, stream_call_ptr>,
    // Takes over another configuration, then tells the JetStream API so.
    caf::reacts_to<configure_atom, stream_config_ptr>,
    // A storage thread has opened (or made) its store.
    caf::reacts_to<opened_atom, opened_store_ptr>,
    // A storage thread has committed a batch.
    caf::reacts_to<committed_atom, stream_batch_ptr>,
    // A storage thread has tried to write again after an error.
    caf::reacts_to<retry_atom, store_error>,
    // Ends and removes all that it has stored.
    caf::reacts_to<remove_atom>,
    // Finishes what has begun, closes its store and ends.
    caf::reacts_to<end_atom>,
    // Its store is closed (and removed, if that was asked for).
    caf::reacts_to<closed_atom, store_error>,
    // A storage thread has an answer for a client.
    caf::reacts_to<answer_atom, api_answer_ptr>,
    // One of its readers answers from now on; or has let go of the store.
    caf::reacts_to<ready_atom>, caf::reacts_to<ended_atom>,
    // A consumer, by its name, delivers from now on; or has let go of the store.
    caf::reacts_to<ready_atom, std::string>, caf::reacts_to<ended_atom, std::string>,
    // A consumer wants to be told of every commit; or no longer.
    caf::reacts_to<follow_atom, std::string, bool>,
    // A consumer's state is to be committed.
    caf::reacts_to<rows_atom, consumer_change_ptr>,
    // Messages of an origin, to be stored; or: its mirror has all that the origin has.
    caf::reacts_to<sourced_atom, sourced_ptr>, caf::reacts_to<following_atom>,
    // Nobody has used a consumer for as long as it allows: it goes.
    caf::reacts_to<expired_atom, std::string>,
    // Nobody uses a consumer: it would rest. It rests now, or (false) does not.
    caf::reacts_to<rest_atom, std::string>, caf::reacts_to<rested_atom, std::string, bool>,
    // What a consumer got that was about to rest.
    caf::reacts_to<hand_atom, frame_batch_ptr>>;

/// Answers direct gets of one stream for the clients of one event loop. Pinned there.
using stream_reader_actor = subscriber_actor::extend<
    // Itself: goes on with batched gets.
    caf::reacts_to<continue_atom>,
    // Lets go of the store, tells the stream so, and ends.
    caf::reacts_to<end_atom>>;

/// A stream on its way to a client (STREAM.SNAPSHOT). Pinned to an event loop.
using stream_snapshot_actor = subscriber_actor::extend<
    // A storage thread has read on.
    caf::reacts_to<answer_atom, snapshot_step_ptr>,
    // Gives up and ends.
    caf::reacts_to<end_atom>>;

/// A stream on its way from a client (STREAM.RESTORE). Pinned to an event loop.
using stream_restore_actor = subscriber_actor::extend<
    // A storage thread has stored what came.
    caf::reacts_to<answer_atom, restore_step_ptr>,
    // Gives up and ends.
    caf::reacts_to<end_atom>>;

/// The JetStream API of one account: which streams there are, and every request about them. Pinned
/// to the first event loop.
using jetstream_actor = subscriber_actor::extend<
    // A stream takes messages from now on, or could not be made.
    caf::reacts_to<opened_atom, stream_outcome>,
    // A stream has taken over its new configuration, or could not.
    caf::reacts_to<configure_atom, stream_outcome>,
    // A stream has ended.
    caf::reacts_to<closed_atom, stream_outcome>,
    // A client has sent a whole stream, or has not.
    caf::reacts_to<restored_atom, restored_stream_ptr>,
    // One that copied a stream, by its number, has ended.
    caf::reacts_to<finished_atom, uint64_t>,
    // Ends all streams, then itself.
    caf::reacts_to<end_atom>>;

/// The process: listeners, the connections there are, signals, reload, lame duck and shutdown.
using server_actor = caf::typed_actor<
    // A connection was accepted, or has ended.
    caf::reacts_to<opened_atom, connection_record_ptr, connection_actor>,
    caf::reacts_to<closed_atom, uint64_t>,
    // Reads the configuration again and puts it in force.
    caf::reacts_to<reload_atom>,
    // Stops listening and closes clients bit by bit, then ends the process.
    caf::reacts_to<lameduck_atom>,
    // Closes every connection and ends the process.
    caf::reacts_to<close_atom>,
    // Itself: continue what runs over time (lame duck, shutdown).
    caf::reacts_to<tick_atom>,
    // For monitoring: who is and was connected.
    caf::replies_to<connz_atom>::with<connections_view_ptr>>;

/// Writes the answers of monitoring, which may be long, away from the event loops.
using renderer_actor =
    caf::typed_actor<caf::replies_to<render_atom, render_job_ptr>::with<render_job_ptr>,
                     caf::reacts_to<end_atom>>;

/// Answers HTTP requests about the server and its connections. Pinned to the first event loop.
using monitor_actor = caf::typed_actor<
    // Stops listening, closes its connections and ends.
    caf::reacts_to<end_atom>>;

}  // namespace vagus
