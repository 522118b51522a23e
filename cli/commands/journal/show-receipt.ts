import { keyId, publicKeyFromPem } from "../../../contracts/formats/ed25519.ts";
import { receiptProof, verifyReceiptProof } from "../../../contracts/formats/receipt-proof.ts";
import type { ReceiptPredicate } from "../../../contracts/formats/receipt-statement.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { printable, type Terminal } from "../../terminal.ts";

/** Throws PROOF_INVALID where a step of the proof does not hold. */
export async function showReceipt(context: CliContext, id: string): Promise<void> {
  const { terminal, folder } = context;
  const proof = await connectedHub(context).output(receiptProof, "system_journal_get_receipt", { id });
  const known = folder.hub()?.rootKey;
  const proven = verifyReceiptProof(proof, known === undefined ? {} : { rootKey: publicKeyFromPem(known) });
  const { receipt, commitNo, rootKeyId } = proven;
  terminal.show({ verified: true, rootKeyId, rootKeyPinned: known !== undefined, commitNo, proof }, () => {
    const { lane } = proof;
    const signed = [
      ["entry", `${lane.sequence} of ${lane.size} in ${lane.origin}`],
      ["commit", `${commitNo}, signed by process key ${keyId(proven.certificate.processKey).slice(0, 16)}...`],
      [
        "root key",
        `${rootKeyId.slice(0, 16)}... ${known ? "(the one pinned here)" : "(as the proof brings it along: compare it)"}`,
      ],
    ] as const;
    return [
      `${terminal.style("green", "The proof holds:")} statement, lane, commit, process key, root key.`,
      "",
      ...lined(terminal, factsOf(receipt)),
      "",
      ...lined(terminal, signed),
    ].join("\n");
  });
}

type Facts = readonly (readonly [name: string, value: string])[];

function factsOf(receipt: ReceiptPredicate): Facts {
  const { approval, principal, policy, target } = receipt;
  const all: [string, string | undefined][] = [
    ["receipt", `${receipt.callId}.${receipt.phase}`],
    ["action", receipt.action],
    ["ended as", receipt.code],
    ["time", receipt.time],
    ["by", principal && `${principal.kind} ${principal.id}`],
    ["through", receipt.channel],
    ["target", target && `${target.type} ${target.id}${target.version === undefined ? "" : ` at ${target.version}`}`],
    ["policy", policy && `version ${policy.version}, decided by ${policy.decidedBy.join(", ") || "nothing"}`],
    ["waits for", receipt.approvalRequestId && `approval request ${receipt.approvalRequestId}`],
    ["approved", approval && `request ${approval.requestId}, profile ${approval.profile}`],
    ...(approval?.decisions ?? []).map((d): [string, string] => ["", `person ${d.personId}, ${d.assurance}`]),
    ...(receipt.left ?? []).map((l): [string, string] => ["left", `${l.type} ${l.id} at version ${l.version}`]),
    ["input", receipt.input && `commitment ${receipt.input}`],
    ["output", receipt.output && `commitment ${receipt.output}`],
  ];
  return all.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== "");
}

const lined = (terminal: Terminal, facts: Facts) =>
  facts.map(([name, value]) => `  ${terminal.style("dim", name.padEnd(9))} ${printable(value)}`);
