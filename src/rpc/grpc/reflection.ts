import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { StrakeError } from '../../base/index.ts';
import { statusOf } from '../status.ts';

/** What both versions of grpc.reflection ask; they differ in their package alone. */
interface Request {
  readonly host: string;
  readonly messageRequest:
    | { readonly case: 'fileByFilename' | 'fileContainingSymbol' | 'allExtensionNumbersOfType' | 'listServices'; readonly value: string }
    | { readonly case: 'fileContainingExtension'; readonly value: { readonly containingType: string; readonly extensionNumber: number } }
    | { readonly case: undefined; readonly value?: undefined };
}

type Answer =
  | { readonly case: 'fileDescriptorResponse'; readonly value: { readonly fileDescriptorProto: Uint8Array<ArrayBuffer>[] } }
  | { readonly case: 'allExtensionNumbersResponse'; readonly value: { readonly baseTypeName: string } }
  | { readonly case: 'listServicesResponse'; readonly value: { readonly service: { readonly name: string }[] } }
  | { readonly case: 'errorResponse'; readonly value: { readonly errorCode: number; readonly errorMessage: string } };

/** Tells clients such as grpcurl what `services` are; none of our messages has extensions. */
export function reflectionService(services: readonly DescService[]) {
  const index = indexFiles(services.map(({ file }) => file));
  return {
    async *serverReflectionInfo<R extends Request>(requests: AsyncIterable<R>) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request, services, index) };
      }
    },
  };
}

interface FileIndex {
  readonly byName: ReadonlyMap<string, DescFile>;
  /** Of messages, enumerations, services and methods, by their whole name. */
  readonly bySymbol: ReadonlyMap<string, DescFile>;
}

function answer({ messageRequest }: Request, services: readonly DescService[], { byName, bySymbol }: FileIndex): Answer {
  switch (messageRequest.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: services.map(({ typeName }) => ({ name: typeName })) } };
    case 'fileByFilename':
      return fileAnswer(byName.get(messageRequest.value), messageRequest.value);
    case 'fileContainingSymbol':
      return fileAnswer(bySymbol.get(messageRequest.value), messageRequest.value);
    case 'allExtensionNumbersOfType':
      return bySymbol.has(messageRequest.value)
        ? { case: 'allExtensionNumbersResponse', value: { baseTypeName: messageRequest.value } }
        : failure('NotFound', `${messageRequest.value} not found`);
    case 'fileContainingExtension':
      return failure('NotFound', `extension ${messageRequest.value.extensionNumber} of ${messageRequest.value.containingType} not found`);
    default:
      return failure('InvalidArgument', 'the request asks for nothing');
  }
}

function failure(code: 'NotFound' | 'InvalidArgument', errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode: statusOf(new StrakeError(code, errorMessage)).code, errorMessage } };
}

function fileAnswer(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return failure('NotFound', `${name} not found`);
  const files = [...indexFiles([file]).byName.values()];
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: files.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) } };
}

/** The files and all that they import, each before what it imports. */
function indexFiles(roots: readonly DescFile[]): FileIndex {
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const add = (file: DescFile) => {
    if (byName.has(file.proto.name)) return;
    byName.set(file.proto.name, file);
    for (const type of nestedTypes(file)) bySymbol.set(type.typeName, file);
    for (const service of file.services) for (const method of service.methods) bySymbol.set(`${service.typeName}.${method.name}`, file);
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const file of roots) add(file);
  return { byName, bySymbol };
}
