import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDebianPackage, output } from "@hongyan/testkit/debian";

export interface Certificates {
  readonly ca: string;
  readonly server: Certificate;
  readonly client: Certificate;
  dispose(): Promise<void>;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of its own, with a certificate for a server at 127.0.0.1 and one for its client. */
export async function makeCertificates(): Promise<Certificates> {
  const openssl = await ensureDebianPackage("openssl", "openssl");
  const directory = await mkdtemp(join(tmpdir(), "hongyan-certificates-"));
  const issue = async (name: string, ...more: string[]): Promise<Certificate> => {
    const key = join(directory, `${name}.key`);
    const cert = join(directory, `${name}.pem`);
    await output(openssl, [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", cert, ...more],
    ]);
    return { cert, key };
  };
  const ca = await issue("authority");
  const signed = ["-CA", ca.cert, "-CAkey", ca.key, "-addext", "subjectAltName=IP:127.0.0.1"];
  return {
    ca: ca.cert,
    server: await issue("server", ...signed),
    client: await issue("client", ...signed),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}
