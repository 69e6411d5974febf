// The parts of OpenAPI 3.1 that our document is made of.
import type { JsonValue } from '../json-value.ts';

/** JSON Schema 2020-12; what is not named here is passed on as it is. */
export type ApiSchema = {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | ApiSchema;
  readonly propertyNames?: ApiSchema;
  readonly items?: ApiSchema;
  readonly anyOf?: readonly ApiSchema[];
  readonly oneOf?: readonly ApiSchema[];
  readonly allOf?: readonly ApiSchema[];
  readonly contentSchema?: ApiSchema;
  readonly enum?: readonly JsonValue[];
  readonly const?: JsonValue;
  readonly default?: JsonValue;
  readonly examples?: readonly JsonValue[];
  readonly [keyword: string]: unknown;
};

export type ApiReference = { readonly $ref: string };

export type ApiMedia = {
  readonly schema?: ApiSchema;
  readonly example?: JsonValue;
  readonly examples?: Readonly<Record<string, ApiReference | { value: JsonValue }>>;
};

export type ApiContent = Readonly<Record<string, ApiMedia>>;

export type ApiParameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: ApiSchema;
  readonly example?: JsonValue;
};

export type ApiHeader = { readonly description?: string; readonly schema?: ApiSchema };

export type ApiResponse = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, ApiHeader | ApiReference>>;
  readonly content?: ApiContent;
};

export type ApiRequestBody = {
  readonly description?: string;
  readonly required?: boolean;
  readonly content: ApiContent;
};

export type ApiOperation = {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly (ApiParameter | ApiReference)[];
  readonly requestBody?: ApiRequestBody;
  readonly responses: Readonly<Record<string, ApiResponse | ApiReference>>;
};

export type ApiPath = Readonly<Record<string, ApiOperation>>;

export type ApiComponents = {
  readonly schemas?: Readonly<Record<string, ApiSchema>>;
  readonly parameters?: Readonly<Record<string, ApiParameter>>;
  readonly headers?: Readonly<Record<string, ApiHeader>>;
  readonly responses?: Readonly<Record<string, ApiResponse>>;
  readonly examples?: Readonly<Record<string, { value: JsonValue }>>;
  readonly securitySchemes?: Readonly<Record<string, JsonValue>>;
};

export type OpenApiDocument = {
  readonly openapi: string;
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly tags?: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, ApiPath>>;
  readonly components: ApiComponents;
};
