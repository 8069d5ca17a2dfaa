declare module 'hogan.js' {
  const hogan: { compile(template: string): { render(values: object): string } };
  export default hogan;
}
