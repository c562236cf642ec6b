/** Put in by the build; absent when the sources run directly. */
declare const __DISPATCH_VERSION__: string | undefined;

export const VERSION: string =
  typeof __DISPATCH_VERSION__ === 'string' ? __DISPATCH_VERSION__ : '0.0.0-source';
