export interface SshLogin {
  /** The private key's file, which this user alone can read. */
  readonly keyFile: string;
  /** Where the address names no user. */
  readonly user?: string | undefined;
}

/**
 * Nothing of the user's own ssh: no keys, agent, configuration or known hosts. Without a login of the repository's own,
 * servers that let anybody read are the ones that answer.
 *
 * @param command the ProxyCommand
 * @param knownHosts the file of the server's key
 */
export function sshConfig(command: string, knownHosts: string, login?: SshLogin): string {
  const lines = [
    `ProxyCommand ${command}`,
    `UserKnownHostsFile ${quoted(knownHosts)}`,
    "GlobalKnownHostsFile /dev/null",
    // the key is taken at first contact; another one later is refused
    "StrictHostKeyChecking accept-new",
    "UpdateHostKeys no",
    "CheckHostIP no",
    "HashKnownHosts no",
    "VerifyHostKeyDNS no",
    "CanonicalizeHostname no",
    "BatchMode yes",
    "IdentitiesOnly yes",
    "IdentityAgent none",
    `IdentityFile ${login ? quoted(login.keyFile) : "none"}`,
    ...(login?.user === undefined ? [] : [`User ${login.user}`]),
    "AddKeysToAgent no",
    `PubkeyAuthentication ${login ? "yes" : "no"}`,
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "HostbasedAuthentication no",
    "GSSAPIAuthentication no",
    "ForwardAgent no",
    "ForwardX11 no",
    "ClearAllForwardings yes",
    "PermitLocalCommand no",
    "ControlMaster no",
    "ControlPath none",
    "Tunnel no",
    "RequestTTY no",
    "EscapeChar none",
    "ConnectTimeout 20",
    "ServerAliveInterval 15",
    "ServerAliveCountMax 3",
    "LogLevel ERROR",
  ];
  return `Host *\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

const quoted = (path: string): string => `"${path.replaceAll("%", "%%")}"`;
