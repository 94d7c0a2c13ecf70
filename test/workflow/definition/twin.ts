import { Processor } from 'millrace';

@Processor({ name: 'ImportPrices' })
export class Twin {}
