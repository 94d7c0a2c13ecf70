import { IsInt, IsNumber, IsString } from 'class-validator';

/** What the films of one genre came to. */
export class Genre {
  @IsString()
  genre!: string;

  @IsInt()
  films!: number;

  /** Gross for each dollar of budget, over all films where both are known. */
  @IsNumber()
  returned!: number;

  @IsNumber()
  rating!: number;

  /** The film that returned most on its budget. */
  @IsString()
  best!: string;
}
