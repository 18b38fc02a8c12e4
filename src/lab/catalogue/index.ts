/** All experiments, in the order of the claims. */
import type { Experiment } from "../experiment.ts";
import { assassination } from "./assassination.ts";
import { assassinationRfc1337 } from "./assassination-rfc1337.ts";
import { bindAddressNoPort } from "./bind-address-no-port.ts";
import { clientNeverCloses } from "./client-never-closes.ts";
import { clientNeverClosesShutdown } from "./client-never-closes-shutdown.ts";
import { closeFinWithData } from "./close-fin-with-data.ts";
import { closeFourSegments } from "./close-four-segments.ts";
import { closeStates } from "./close-states.ts";
import { closeThreeSegments } from "./close-three-segments.ts";
import { completeDuplicate } from "./complete-duplicate.ts";
import { endBeforeAccept } from "./end-before-accept.ts";
import { endBehindZeroWindow } from "./end-behind-zero-window.ts";
import { endOfProcess } from "./end-of-process.ts";
import { endWithUnreadData } from "./end-with-unread-data.ts";
import { finAckedWithoutRead } from "./fin-acked-without-read.ts";
import { finTimeout } from "./fin-timeout.ts";
import { floodFinWait1 } from "./flood-fin-wait-1.ts";
import { halfClose } from "./half-close.ts";
import { inheritedConnection } from "./inherited-connection.ts";
import { inheritedListener } from "./inherited-listener.ts";
import { lastAckLost } from "./last-ack-lost.ts";
import { lastAckLostDescriptorOpen } from "./last-ack-lost-descriptor-open.ts";
import { lastAckLostNoBucket } from "./last-ack-lost-no-bucket.ts";
import { lastAckLostNoTimeWait } from "./last-ack-lost-no-time-wait.ts";
import { lingerZero } from "./linger-zero.ts";
import { localAddresses } from "./local-addresses.ts";
import { oldDuplicateAccepted } from "./old-duplicate-accepted.ts";
import { oldDuplicatePaws } from "./old-duplicate-paws.ts";
import { oldDuplicateTimeWait } from "./old-duplicate-time-wait.ts";
import { portExhaustion } from "./port-exhaustion.ts";
import { restart } from "./restart.ts";
import { restartOldServerWithout } from "./restart-old-server-without.ts";
import { reuseportOtherUser } from "./reuseport-other-user.ts";
import { reuseportShared } from "./reuseport-shared.ts";
import { simultaneousClose } from "./simultaneous-close.ts";
import { synIntoCloseWait } from "./syn-into-close-wait.ts";
import { synIntoTimeWaitIsn } from "./syn-into-time-wait-isn.ts";
import { synIntoTimeWaitRefused } from "./syn-into-time-wait-refused.ts";
import { synIntoTimeWaitRefusedRfc1337 } from "./syn-into-time-wait-refused-rfc1337.ts";
import { synIntoTimeWaitTimestamp } from "./syn-into-time-wait-timestamp.ts";
import { timeWaitLength } from "./time-wait-length.ts";
import { timeWaitRestarts } from "./time-wait-restarts.ts";
import { ttlHops } from "./ttl-hops.ts";
import { ttlIsNotTime } from "./ttl-is-not-time.ts";
import { twBucketsOverflow } from "./tw-buckets-overflow.ts";
import { twReuse } from "./tw-reuse.ts";
import { unread290960 } from "./unread-290960.ts";
import { wildcardAndSpecific } from "./wildcard-and-specific.ts";

export const CATALOGUE: readonly Experiment[] = [
  restart,
  restartOldServerWithout,
  endOfProcess,
  endWithUnreadData,
  endBehindZeroWindow,
  endBeforeAccept,
  closeFourSegments,
  closeFinWithData,
  closeThreeSegments,
  halfClose,
  closeStates,
  finAckedWithoutRead,
  simultaneousClose,
  lingerZero,
  twBucketsOverflow,
  assassination,
  assassinationRfc1337,
  finTimeout,
  timeWaitLength,
  timeWaitRestarts,
  lastAckLost,
  lastAckLostDescriptorOpen,
  lastAckLostNoBucket,
  lastAckLostNoTimeWait,
  oldDuplicateAccepted,
  oldDuplicatePaws,
  oldDuplicateTimeWait,
  portExhaustion,
  synIntoTimeWaitIsn,
  synIntoTimeWaitRefused,
  synIntoTimeWaitRefusedRfc1337,
  synIntoTimeWaitTimestamp,
  twReuse,
  clientNeverCloses,
  clientNeverClosesShutdown,
  synIntoCloseWait,
  floodFinWait1,
  unread290960,
  inheritedConnection,
  inheritedListener,
  localAddresses,
  wildcardAndSpecific,
  bindAddressNoPort,
  completeDuplicate,
  reuseportOtherUser,
  reuseportShared,
  ttlHops,
  ttlIsNotTime,
];
