/** E-mail over SMTP. */
import { DispatchError } from '../../model/error.ts';
import type { MailConfig } from '../../spec/alert-settings.ts';
import type { Message } from '../message.ts';

/** @throws DispatchError E_SINK with what the server said; the password is not in it. */
export async function mailMessage(
  { title, text, html, id }: Message,
  { host, port, tls, user, from, to }: MailConfig,
  { password, deadlineMs, signal }: { password: string | null; deadlineMs: number; signal: AbortSignal },
): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    connectionTimeout: deadlineMs,
    greetingTimeout: deadlineMs,
    socketTimeout: deadlineMs,
    // Nothing of a message is read from a file or from the network.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // A server that answers each line in time may take for ever over all of them.
  const late = new Promise<never>((_, fail) => {
    signal.addEventListener('abort', () => fail(new Error('it did not answer in time')), { once: true });
  });
  try {
    const mail = { from, to: [...to], subject: title, text, headers: { 'X-Dispatch-Id': id } };
    const attached = html === null ? {} : { attachments: [{ filename: 'report.html', content: html }] };
    const sending = transport.sendMail({ ...mail, ...attached });
    sending.catch(() => undefined);
    await Promise.race([sending, late]);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new DispatchError('E_SINK', password === null ? said : said.replaceAll(password, '***'));
  } finally {
    transport.close();
  }
}
