/** The OpenAPI description of the inbox's API, made of the contract and the list of operations. https://spec.openapis.org/oas/v3.1.1 */
import { z } from 'zod';
import { responses } from './contract.ts';
import { OPERATIONS, type Operation, SESSION_OPERATIONS } from './operations.ts';

export type JsonObject = { [name: string]: unknown };

/** @param serverUrl where it is reached, e.g. `https://bot.example.com`; undefined when that is not known. */
export function describeApi(serverUrl: string | undefined): JsonObject {
  const schemas: JsonObject = {};
  const paths: Record<string, JsonObject> = {};
  const add = (name: string, operation: Operation, isOpen: boolean) => {
    const path = operation.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method]: describe(name, operation, isOpen, schemas) };
  };
  for (const [name, operation] of Object.entries(OPERATIONS)) add(name, operation, false);
  for (const [name, operation] of Object.entries(SESSION_OPERATIONS)) add(name, operation, true);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Recado inbox',
      version: '1.0.0',
      description:
        'Sign in with a session (and send its x-csrf-token with all that changes something) or an x-api-key.',
    },
    ...(serverUrl === undefined ? {} : { servers: [{ url: serverUrl }] }),
    security: [{ apiKey: [] }, { session: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        session: { type: 'apiKey', in: 'cookie', name: 'recado_session' },
      },
    },
  };
}

const REFUSALS: Record<number, string> = {
  400: 'Something in the request is not as described',
  401: 'Nobody is signed in, and no key was sent',
  403: 'The x-csrf-token is missing or wrong',
  404: 'There is no such thing',
  409: 'Only an approved template may be sent now',
  413: 'It is too large',
  415: 'It is neither JSON nor CSV',
  422: 'It cannot be done for this contact or file',
  429: 'Too many attempts',
  502: 'The provider refused, or did not answer',
  503: 'Redis or the archive does not answer right now',
};

function describe(name: string, operation: Operation, isOpen: boolean, schemas: JsonObject): JsonObject {
  const { method, summary, params, query, upload, answer, refusals = [] } = operation;
  const bodies = bodiesOf(operation, schemas);
  const contentOf = (schema: JsonObject) => ({ 'application/json': { schema } });
  const error = contentOf(schemaOf(responses.error, 'output', schemas));
  const guarded = method === 'get' || isOpen ? [] : [403];
  const statuses = [400, 401, ...guarded, ...refusals, 503].sort((a, b) => a - b);
  return {
    operationId: name,
    summary,
    ...(isOpen ? { security: [] } : {}),
    parameters: [...parametersIn('path', params, schemas), ...parametersIn('query', query ?? upload?.csv, schemas)],
    ...(bodies && { requestBody: { required: true, content: bodies } }),
    responses: {
      200: {
        description: 'Done',
        content: typeof answer === 'string' ? { [answer]: {} } : contentOf(schemaOf(answer, 'output', schemas)),
      },
      ...Object.fromEntries(statuses.map((status) => [status, { description: REFUSALS[status], content: error }])),
    },
  };
}

/** With an upload as CSV the query has what JSON has beside its rows. */
function bodiesOf({ body, upload }: Operation, schemas: JsonObject): JsonObject | null {
  const json = body ?? upload?.json;
  if (!json) return null;
  return {
    'application/json': { schema: schemaOf(json, 'input', schemas) },
    ...(upload && { 'text/csv': { schema: { type: 'string' } } }),
  };
}

function parametersIn(place: 'path' | 'query', object: z.ZodObject | undefined, schemas: JsonObject): JsonObject[] {
  return Object.entries(object?.shape ?? {}).map(([name, field]) => {
    const type = field as z.ZodType; // an object's shape holds types
    const { description, ...schema } = schemaOf(type, 'input', schemas);
    return { name, in: place, required: place === 'path', ...(description ? { description } : {}), schema };
  });
}

/** A schema whose named parts are referred to; they are put into `schemas`. */
function schemaOf(type: z.ZodType, io: 'input' | 'output', schemas: JsonObject): JsonObject {
  // Wrapped, so that a type which has a name itself is among the parts.
  const made = z.toJSONSchema(z.tuple([type]), { io, override: ({ jsonSchema }) => simplify(jsonSchema) });
  const { prefixItems, $defs } = JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/'));
  for (const [id, { id: _name, ...part }] of Object.entries<JsonObject>($defs ?? {})) schemas[id] = part;
  return prefixItems[0];
}

/** Spares the reader the limits of JavaScript's integers, and the pattern of what the format says already. */
function simplify(schema: JsonObject): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format !== undefined) delete schema.pattern;
}
