import * as chats from './chats.js'
import * as daemon from './daemon.js'
import * as devices from './devices.js'
import * as forgetting from './forgetting.js'
import { follow } from './follow.js'
import * as friends from './friends.js'
import * as logs from './logs.js'
import * as self from './self.js'
import * as trackers from './trackers.js'

/** Everything a command can ask of a profile, in the process that has it open (SPEC § 9). */
export const METHODS = {
  status: daemon.status,
  'daemon.status': daemon.daemonStatus,
  'daemon.stop': daemon.daemonStop,
  whoami: self.whoami,
  'keys.show': self.keysShow,
  'profile.set': self.profileSet,
  'presence.set': self.presenceSet,
  'settings.list': self.settingsList,
  'settings.get': self.settingsGet,
  'settings.set': self.settingsSet,
  'backup.next': self.backupNext,
  'backup.made': self.backupMade,
  'logged-out': self.loggedOut,
  'friend.lookup': friends.lookup,
  'friend.add': friends.add,
  'friend.requests': friends.requests,
  'friend.accept': friends.accept,
  'friend.reject': friends.reject,
  'friend.block': friends.block,
  'friend.unblock': friends.unblock,
  'friend.remove': friends.remove,
  'friend.list': friends.list,
  'friend.show': friends.show,
  'friend.check': friends.check,
  'friend.address': friends.address,
  'chat.send': chats.send,
  'chat.read': chats.read,
  'chat.follow': follow,
  'chat.show': chats.show,
  'chat.list': chats.list,
  'chat.search': chats.search,
  'chat.forget': forgetting.forget,
  'chat.overdue': forgetting.overdue,
  'chat.disappear': forgetting.disappear,
  'tracker.add': trackers.add,
  'tracker.remove': trackers.remove,
  'tracker.list': trackers.list,
  'tracker.check': trackers.check,
  'device.export': devices.deviceExport,
  'device.list': devices.deviceList,
  'firewall.mode': devices.firewallMode,
  'log.replay': logs.replay,
  'log.head': logs.head,
  'log.audit': logs.audit,
  'log.export': logs.exportLog,
  'log.rekey': logs.rekey,
} as const

export type Methods = typeof METHODS
export type MethodName = keyof Methods
export type Result<M extends MethodName> = Awaited<ReturnType<Methods[M]['run']>>
