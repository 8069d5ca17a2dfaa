/** What is pushed to another kind of registry. */
import { Type } from 'typebox';

export const PushedImage = Type.Object(
  { manifest_str: Type.String({ description: 'The manifest for the registry, as JSON.' }) },
  { description: 'What the registry is to be told of the image.' },
);
