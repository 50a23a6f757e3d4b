import type { Strings } from "./strings.ts";

const reasons: Record<string, string> = {
  conflict: "已存在编号相同而内容不同的消息",
  forbidden: "你没有在此发言的权限",
  not_found: "没有这个人或会话，或你不在其中",
  too_large: "消息太长",
  bad_request: "服务器没有接受",
  rate_limited: "发送太频繁",
  overloaded: "服务器繁忙",
  unavailable: "服务器暂时无法保存消息",
  internal: "服务器出错",
  unauthorized: "你没有登录",
  token_expired: "登录已过期",
};

const roles: Record<string, string> = { owner: "群主", admin: "管理员", member: "成员" };

export function chinese(locale: string): Strings {
  const list = new Intl.ListFormat(locale, { type: "conjunction" });
  return {
    locale,
    appName: "鸿雁",
    tagline: "有信必达。",
    today: "今天",
    yesterday: "昨天",
    you: "你",
    close: "关闭",
    cancel: "取消",
    back: "返回会话列表",

    signIn: {
      title: "登录",
      lead: "你需要一个登录链接。服务器启动时会为每个演示用户打印一个；其他人请向服务器的管理者索取。",
      field: "登录链接或令牌",
      placeholder: "http://…/#token=…",
      submit: "登录",
      hint: "也可以在服务器上生成：",
      command: "hongyan token --user ID",
      asUser: (name, domain) => `以 ${name}（${domain}）继续`,
      remembered: "此浏览器上的账号",
      forget: (name) => `移除 ${name}`,
      malformed: "这不是登录链接或令牌。",
      expired: "此登录已过期，请索取新的链接。",
    },

    list: {
      label: "会话",
      search: "搜索",
      clearSearch: "清除搜索",
      newChat: "新建会话",
      empty: "还没有会话",
      emptyHint: "找个熟人聊聊吧。",
      nothingFound: (text) => `没有找到“${text}”。`,
      loading: "正在加载会话",
      unread: (count) => `${count} 条未读消息`,
      draft: "[草稿]",
      noMessages: "还没有消息",
      signOut: "退出登录",
    },

    chat: {
      pick: "你的会话",
      pickHint: "从左侧选择一个，或新建会话。",
      messages: "消息",
      messagesWith: (name) => `与 ${name} 的消息`,
      members: (count) => `${count} 位成员`,
      direct: "单聊",
      details: "群资料",
      beginning: "会话从这里开始。",
      loadingOlder: "正在加载更早的消息",
      unreadLine: "新消息",
      toFirstUnread: (count) => `${count} 条新消息`,
      toBottom: (count) => (count > 0 ? `回到最新，${count} 条新消息` : "回到最新"),
      newMessage: (from, text) => `${from}：${text}`,
      notText: "非文本消息",
      gone: "此会话不可用。",
      longer: (characters) => `展开全部 ${characters.toLocaleString(locale)} 个字符`,
    },

    composer: {
      label: (name) => `发给 ${name} 的消息`,
      placeholder: "输入消息",
      send: "发送",
      hint: "Enter 发送，Shift+Enter 换行",
      leftGroup: "你已不在这个群里。",
    },

    state: {
      queued: "等待发送",
      stored: "已发送",
      delivered: "已送达",
      read: "已读",
      failed: "未发送",
      retry: "重试",
      edit: "编辑",
      discard: "放弃",
      reason: (code) => reasons[code] ?? code,
    },

    receipts: {
      title: "消息状态",
      read: (count) => `已读 · ${count}`,
      delivered: (count) => `已送达 · ${count}`,
      waiting: (count) => `未送达 · ${count}`,
      open: "查看谁已收到和已读",
      nobody: "群里没有其他人。",
    },

    connection: {
      connecting: "正在连接…",
      online: "已连接",
      offline: "当前离线，消息会在恢复连接后发出。",
      reconnecting: (seconds) =>
        seconds > 0 ? `连接已断开，${seconds} 秒后重试。` : "连接已断开，正在重试…",
      replaced: "此设备已在别处登录。",
      takeOver: "在这里使用",
      expired: "登录已过期，你写的消息会保留。",
      unauthorized: "服务器不接受此登录。",
      stopped: (reason) => `服务器结束了会话：${reason}。`,
      signInAgain: "重新登录",
    },

    people: {
      title: "新建会话",
      group: "新建群",
      search: "搜索联系人或输入用户编号",
      empty: "这里还没有人。输入用户编号即可给对方发消息。",
      byId: (id) => `给 ${id} 发消息`,
      groupTitle: "新建群",
      groupName: "群名称",
      groupNamePlaceholder: "例如：周末徒步",
      chosen: (count) => `已选 ${count} 人`,
      create: "创建群",
      remove: (name) => `移除 ${name}`,
      loading: "正在加载联系人",
      failed: (reason) => `操作没有成功：${reason}。`,
    },

    group: {
      title: "群资料",
      rename: "改名",
      save: "保存",
      add: "添加成员",
      addTitle: "添加成员",
      addSubmit: (count) => (count > 0 ? `添加 ${count} 人` : "添加"),
      remove: (name) => `将 ${name} 移出群`,
      leave: "退出群",
      leaveSure: (name) => `退出“${name}”？已有的消息仍可查看，但不再收到新消息。`,
      owner: "群主",
      admin: "管理员",
      role: (role) => roles[role] ?? role,
      membersTitle: (count) => `${count} 位成员`,
      message: (name) => `给 ${name} 发消息`,
    },

    system: {
      created: (by) => (by === "" ? "群已创建" : `${by}创建了群`),
      added: (by, users) => (by === "" ? `${users} 加入了群` : `${by}邀请 ${users} 加入`),
      removed: (by, users) => (by === "" ? `${users} 被移出群` : `${by}将 ${users} 移出`),
      left: (who) => `${who}退出了群`,
      joined: (who) => `${who}加入了群`,
      renamed: (by, name) => (by === "" ? `群名改为“${name}”` : `${by}将群名改为“${name}”`),
      role: (by, users, role) =>
        by === "" ? `${users} 成为${roles[role] ?? role}` : `${by}将 ${users} 设为${roles[role] ?? role}`,
      other: "会话有变动",
      list: (names) => list.format(names),
    },
  };
}
