import type { FactType } from './facts.js'

interface Row {
  readonly code: number
  readonly version: number
}

/** The numbers facts bear on disk (SPEC § 4.1), never reused. 58 to 59 and 100 to 199 are reserved. */
export const REGISTRY = {
  LogRecovered: { code: 1, version: 1 },
  ContentForgotten: { code: 2, version: 1 },
  LogKeyRotated: { code: 3, version: 1 },
  ContentErased: { code: 4, version: 1 },
  IdentityCreated: { code: 10, version: 1 },
  RecoverySeedKept: { code: 11, version: 1 },
  ProfileChanged: { code: 12, version: 1 },
  IntroductionKeyDrawn: { code: 13, version: 1 },
  FriendSecretDrawn: { code: 14, version: 1 },
  OwnStatusChanged: { code: 15, version: 1 },
  LoggedIn: { code: 16, version: 1 },
  DeviceActivated: { code: 17, version: 1 },
  LoggedOut: { code: 18, version: 1 },
  SettingChanged: { code: 19, version: 1 },
  TrackerAdded: { code: 20, version: 1 },
  TrackerRemoved: { code: 21, version: 1 },
  BackupMade: { code: 22, version: 1 },
  DeviceSuperseded: { code: 23, version: 1 },
  DeviceConflict: { code: 24, version: 1 },
  FriendRequested: { code: 30, version: 1 },
  ContactLearned: { code: 31, version: 1 },
  FriendRequestSent: { code: 32, version: 1 },
  FriendRequestReceived: { code: 33, version: 1 },
  FriendAccepted: { code: 34, version: 1 },
  FriendAcceptanceReceived: { code: 35, version: 1 },
  FriendRejected: { code: 36, version: 1 },
  FriendSecretReceived: { code: 37, version: 1 },
  ContactCardReceived: { code: 38, version: 1 },
  ContactEndpointsLearned: { code: 39, version: 1 },
  ContactBlocked: { code: 40, version: 1 },
  ContactUnblocked: { code: 41, version: 1 },
  ContactRemoved: { code: 42, version: 1 },
  ContactStatusChanged: { code: 43, version: 1 },
  ContactDeviceSeen: { code: 44, version: 1 },
  ContactDoubted: { code: 45, version: 1 },
  DisappearingSet: { code: 46, version: 1 },
  MessageQueued: { code: 50, version: 1 },
  MessageSent: { code: 51, version: 1 },
  MessageDelivered: { code: 52, version: 1 },
  MessageRead: { code: 53, version: 1 },
  MessageFailed: { code: 54, version: 1 },
  MessageReceived: { code: 55, version: 1 },
  MessagesShown: { code: 56, version: 1 },
  GateRefused: { code: 80, version: 1 },
} as const satisfies Record<FactType, Row>
