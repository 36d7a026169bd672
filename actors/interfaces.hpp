#pragma once

#include "actors/connection_record.hpp"
#include "actors/messages.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace vagus {

/// One client: its socket, parser, subscriptions and outgoing queue. Pinned to an event loop.
using connection_actor = caf::typed_actor<
    // Messages for its subscriptions, ready to be written.
    caf::reacts_to<frame_batch_ptr>,
    // The subject space has put in force that many of its interest changes, in all.
    caf::reacts_to<applied_atom, uint64_t>,
    // Answers when its outgoing queue has fallen below the low-water mark, or it ends.
    caf::replies_to<drain_atom>::with<bool>,
    // From now on these options hold: limits, and who may be here.
    caf::reacts_to<reload_atom, settings_ptr>,
    // Sends an asynchronous INFO to clients that understand it.
    caf::reacts_to<info_atom, settings_ptr>,
    // For monitoring: its subscriptions, as far as they are asked for.
    caf::replies_to<subsz_atom, subscription_query>::with<subscriptions_view_ptr>,
    // Closes the connection for a reason that lies with the server.
    caf::reacts_to<close_atom, closed_reason>,
    // No publisher can have anything for it any more, of which it has not been sent all.
    caf::reacts_to<retired_atom>,
    // Itself: the socket is closed; end, once nobody can send to it.
    caf::reacts_to<end_atom>>;

/// The subjects of one account: the only writer of its interest snapshots. Pinned to an event loop.
using subject_space_actor = caf::typed_actor<
    // Applies the changes of a connection, then tells it so.
    caf::reacts_to<interest_changes_ptr, connection_actor>, caf::reacts_to<end_atom>>;

/// The clock of one event loop: fires the timers of what is pinned there. Pinned itself.
using timekeeper_actor = caf::typed_actor<
    // Itself: time to look at the timers.
    caf::reacts_to<tick_atom>,
    // From now on these options hold on this loop.
    caf::reacts_to<reload_atom, settings_ptr>, caf::reacts_to<end_atom>>;

/// Checks passwords that are costly to check (bcrypt), away from the event loops.
using authenticator_actor =
    caf::typed_actor<caf::replies_to<verify_atom, credentials, settings_ptr>::with<bool>,
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
