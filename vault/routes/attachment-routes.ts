// Files of events: uploaded before the event that names them, then read by whoever may read its feed.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';

import { clientGoneSignal } from '#shared/client-gone.ts';
import type { Clock } from '#shared/clock.ts';
import { isDiskFull } from '#shared/disk-space.ts';
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';
import { discardRestOfBody } from '#shared/http-rest-of-body.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { cleanFileName } from '#shared/uploads/file-name.ts';
import { acceptForms, requireForm } from '#shared/uploads/form-scope.ts';
import { createMeasuredFile } from '#shared/uploads/incoming-file.ts';
import { readUploadForm } from '#shared/uploads/upload-form.ts';
import { AgentParams } from '#shared/vault-agent-api.ts';
import { Answer } from '#shared/vault-api.ts';
import { AttachmentId, AttachmentView } from '#shared/vault-event-api.ts';

import { idOf } from '../access/vault-door.ts';
import type { VaultDoor } from '../access/vault-door.ts';
import type { AgentRegistry } from '../agents/agent-registry.ts';
import { attachmentView } from '../attachments/attachment-shelf.ts';
import type { AttachmentShelf } from '../attachments/attachment-shelf.ts';
import { findAttachment } from '../attachments/attachment-store.ts';
import { contentDisposition } from '../attachments/content-disposition.ts';
import type { AttachmentRow } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { can } from '../permission/can.ts';
import type { Principal } from '../permission/principal.ts';
import { notFound, vaultError } from '../vault-errors.ts';
import type { Mutation, Mutations } from './mutation.ts';

export type AttachmentRouteOptions = {
  realm: string;
  database: Pick<VaultDatabase, 'reads'>;
  agents: AgentRegistry;
  attachments: AttachmentShelf;
  fileBytesMax: number;
  hasDiskSpace: () => Promise<boolean>;
  mutations: Mutations;
  door: VaultDoor;
  clock: Clock;
};

type Uploading = FastifyRequest<{ Params: { agent_id: string } }>;
type ReadForm = (write: (chunk: Buffer) => Promise<void>) => Promise<string>;

const AttachmentParams = Type.Object({ attachment_id: AttachmentId });

/** In a scope of its own: forms are taken here and nowhere else. */
export async function attachmentRoutes(
  app: HttpApp,
  options: AttachmentRouteOptions,
): Promise<void> {
  const { realm, database, attachments, fileBytesMax, door } = options;
  const closing = await acceptForms(app);

  const receive = async (request: Uploading, reply: FastifyReply): Promise<FastifyReply> => {
    requireForm(request, fileBytesMax);
    await options.agents.findOpen(database.reads, request.params.agent_id);
    if (!(await options.hasDiskSpace())) throw diskFull();
    const stop = AbortSignal.any([clientGoneSignal(reply), closing]);
    const read: ReadForm = async (write) => {
      const form = { fileBytesMax, write, fields: {}, stop };
      return cleanFileName((await readUploadForm(request, form)).fileName);
    };
    const isRepeated = await options.mutations.isRepeated(request);
    return isRepeated ? repeat(options, request, reply, read) : keep(options, request, reply, read);
  };
  app.post(
    '/agents/:agent_id/attachments',
    {
      config: { access: 'events:write' },
      schema: { params: AgentParams, response: { 201: Answer(AttachmentView) } },
    },
    async (request, reply) => {
      try {
        return await receive(request, reply);
      } catch (err) {
        await discardRestOfBody(reply, options.clock);
        throw isDiskFull(err) ? diskFull() : err;
      }
    },
  );
  app.get(
    '/attachments/:attachment_id',
    {
      config: { access: 'events:read', findsAgent: true },
      schema: { params: AttachmentParams },
    },
    async (request, reply) => {
      const { attachment_id: id } = request.params;
      const attachment = await findAttachment(database.reads, realm, id);
      if (attachment === null || !mayRead(door.principalOf(request), attachment)) {
        throw notFound('attachment');
      }
      const etag = `"${attachment.sha256}"`;
      if (isKnown(request, etag)) {
        return reply.headers({ etag, 'cache-control': 'private' }).code(304).send();
      }
      const bytes = await attachments.open(attachment);
      return reply.headers({ etag, ...headersOf(attachment) }).send(bytes);
    },
  );
}

/** The file has to come all the same, to be told from another one. */
async function repeat(
  options: AttachmentRouteOptions,
  request: Uploading,
  reply: FastifyReply,
  read: ReadForm,
): Promise<FastifyReply> {
  const measured = createMeasuredFile(options.fileBytesMax);
  const name = await read(measured.write);
  return options.mutations.run<AttachmentView>(request, reply, {
    ...upload({ name, sha256: measured.sha256() }),
    work: async () => {
      throw requestError('conflict', 'the Idempotency-Key has just expired: send it again');
    },
  });
}

async function keep(
  options: AttachmentRouteOptions,
  request: Uploading,
  reply: FastifyReply,
  read: ReadForm,
): Promise<FastifyReply> {
  const { agents, attachments, mutations, door } = options;
  const { agent_id: agentId } = request.params;
  const ownerId = idOf(door.principalOf(request));
  await using incoming = attachments.receive();
  const name = await read(incoming.write);
  return await attachments.keep(incoming, (file) =>
    mutations.run<AttachmentView>(request, reply, {
      ...upload({ name, sha256: file.sha256 }),
      work: async ({ db }) => {
        await agents.findOpen(db, agentId);
        const row = await file.enter(db, { agentId, ownerId, name });
        const { attachmentId, size, mediaType } = row;
        return {
          data: attachmentView(row),
          resource: `attachment:${attachmentId}`,
          details: { agent_id: agentId, size, media_type: mediaType },
          headers: { location: `/api/v1/attachments/${attachmentId}` },
        };
      },
    }),
  );
}

function upload(told: { name: string; sha256: string }) {
  const what: Omit<Mutation<AttachmentView>, 'work'> = {
    action: 'attachment.uploaded',
    statusCode: 201,
    told,
  };
  return what;
}

/** What no event has named yet is its uploader's alone. */
function mayRead(principal: Principal, { agentId, eventId, ownerId }: AttachmentRow): boolean {
  return (
    can(principal, 'events:read', { agentId }) && (eventId !== null || ownerId === idOf(principal))
  );
}

function isKnown({ headers }: FastifyRequest, etag: string): boolean {
  const known = headers['if-none-match']?.split(',').map((each) => each.trim().replace('W/', ''));
  return known?.some((each) => each === etag || each === '*') ?? false;
}

/** Whatever is in it, a browser that opens it runs none of it, and takes it for nothing else. */
function headersOf({ mediaType, size, name }: AttachmentRow): Record<string, string | number> {
  return {
    'content-type': mediaType === 'text/plain' ? 'text/plain; charset=utf-8' : mediaType,
    'content-length': size,
    'content-disposition': contentDisposition(mediaType, name),
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private',
    vary: 'Authorization',
  };
}

function diskFull(): AppError {
  return vaultError('disk_full', 'the disk of the vault is nearly full');
}
